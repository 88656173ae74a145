#include "store/retained.hpp"

#include "format/hash.hpp"
#include "format/name_frame.hpp"
#include "os/assertion.hpp"
#include "os/file.hpp"
#include "store/directory.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <utility>

namespace pawl::detail {

namespace {

using bytes = std::vector<std::byte>;

void add(bytes& to, const void* from, std::size_t count) {
    const std::size_t at = to.size();
    to.resize(at + count);
    if (count != 0)
        std::memcpy(to.data() + at, from, count);
}

[[nodiscard]] bytes pack_descriptions(const std::vector<recorded_description>& all) {
    bytes packed;
    for (const recorded_description& each : all) {
        const retained_description front{each.next_sequence, each.timestamp_ns,
                                         each.name.size() + each.bytes.size()};
        PAWL_ASSERT(!each.name.empty() && std::in_range<std::uint32_t>(each.name.size()));
        const std::uint64_t what = std::uint64_t{each.type} |
                                   std::uint64_t{each.schema_version} << 16 |
                                   std::uint64_t{each.name.size()} << 32;
        add(packed, &front, sizeof front);
        add(packed, &what, sizeof what);
        add(packed, each.name.data(), each.name.size());
        add(packed, each.bytes.data(), each.bytes.size());
        packed.resize(padded(packed.size()));
    }
    return packed;
}

[[nodiscard]] bool unpack_descriptions(std::span<const std::byte> packed, std::uint64_t count,
                                       std::vector<recorded_description>& into) {
    constexpr std::size_t front_bytes = sizeof(retained_description) + sizeof(std::uint64_t);
    for (std::uint64_t i = 0; i < count; ++i) {
        if (packed.size() < front_bytes)
            return false;
        retained_description front{};
        std::memcpy(&front, packed.data(), sizeof front);
        const std::uint64_t what = load_u64(packed.data() + sizeof front);
        packed = packed.subspan(front_bytes);
        const std::uint64_t name_bytes = what >> 32;
        if (front.payload_bytes > packed.size() || name_bytes > front.payload_bytes ||
            padded(front.payload_bytes) > packed.size()) {
            return false;
        }
        const auto name = packed.first(static_cast<std::size_t>(name_bytes));
        const auto said = packed.subspan(name.size(), front.payload_bytes - name.size());
        into.push_back({.type = static_cast<std::uint16_t>(what),
                        .schema_version = static_cast<std::uint16_t>(what >> 16),
                        .next_sequence = front.next_sequence,
                        .timestamp_ns = front.timestamp_ns,
                        .name{reinterpret_cast<const char*>(name.data()), name.size()},
                        .bytes{said.begin(), said.end()}});
        packed = packed.subspan(padded(front.payload_bytes));
    }
    return packed.empty();
}

[[nodiscard]] std::unexpected<error> wrong(errc code, const std::filesystem::path& path,
                                           std::string detail) {
    return std::unexpected(
        error{.code = code, .offset = 0, .file = path.string(), .detail = std::move(detail)});
}

[[nodiscard]] log_begin begin_of(const retained_header& header) noexcept {
    PAWL_ASSERT(header.first_ordinal != 0 && header.before_epoch != 0);
    return {.ordinal = header.first_ordinal,
            .before = {.known = true,
                       .type = static_cast<system_type>(header.before_type),
                       .epoch = header.before_epoch,
                       .offset = header.before_offset,
                       .hash = header.before_hash,
                       .successor_epoch = header.before_successor_epoch,
                       .sequence = header.first_sequence,
                       .ordinal = header.first_ordinal - 1},
            .point = {header.first_sequence, header.content_hash, header.frame_hash},
            .digest = header.digest,
            .names_digest = header.names_digest};
}

[[nodiscard]] retained_header header_of(const retained_log& kept, const journal_id& id) noexcept {
    retained_header header{};
    header.magic = retained_magic;
    header.format_version = format_version;
    header.header_bytes = sizeof header;
    std::memcpy(header.journal, id.data(), id.size());
    const log_begin& begin = kept.begin;
    PAWL_ASSERT(begin.is_pruned() && begin.before.known && begin.before.epoch != 0);
    PAWL_ASSERT(begin.before.ordinal == begin.ordinal - 1);
    PAWL_ASSERT(begin.before.sequence == begin.sequence());
    header.first_ordinal = begin.ordinal;
    header.first_sequence = begin.sequence();
    header.before_epoch = begin.before.epoch;
    header.before_offset = begin.before.offset;
    header.before_hash = begin.before.hash;
    header.before_successor_epoch = begin.before.successor_epoch;
    header.before_type = static_cast<std::uint64_t>(begin.before.type);
    header.content_hash = begin.point.content_hash;
    header.frame_hash = begin.point.frame_hash;
    header.digest = begin.digest;
    header.names_digest = begin.names_digest;
    header.must_know = kept.must_know;
    header.pruned_events = kept.events;
    header.pruned_bytes = kept.bytes;
    header.pruned_ns = kept.pruned_ns;
    header.streams = kept.streams.size();
    header.tags = kept.tags.size();
    header.commands = kept.commands.size();
    header.names = kept.names.size();
    header.descriptions = kept.descriptions.size();
    return header;
}

template <class Entry>
[[nodiscard]] std::vector<Entry> entries_in(std::span<const std::byte> from) {
    std::vector<Entry> entries(from.size() / sizeof(Entry));
    if (!from.empty())
        std::memcpy(entries.data(), from.data(), from.size());
    return entries;
}

// Whether they are of what was pruned, in the order of the log.
[[nodiscard]] bool possible(std::span<const retained_command> commands,
                            sequence_number end) noexcept {
    sequence_number next = 0;
    for (const retained_command& command : commands) {
        if (command.first_sequence < next || command.first_sequence > end || command.events == 0 ||
            command.events > end - command.first_sequence)
            return false;
        next = command.first_sequence + command.events;
    }
    return true;
}

// Whether each number is there once, and none is 0.
[[nodiscard]] bool ascend(std::span<const stream_head> heads) noexcept {
    const auto falls = [](const stream_head& left, const stream_head& right) {
        return left.stream >= right.stream;
    };
    return std::ranges::adjacent_find(heads, falls) == heads.end() &&
           (heads.empty() || heads.front().stream != no_stream_id);
}

// What a file holds, or nothing if it is not there.
template <class Value, class Parse>
[[nodiscard]] result<std::optional<Value>> read_copy(const directory_handle& directory,
                                                     std::string_view name, const Parse& parse) {
    auto value = parse(directory, name);
    if (value)
        return std::optional<Value>{std::move(*value)};
    if (value.error().code == errc::not_found)
        return std::optional<Value>{};
    return std::unexpected(std::move(value.error()));
}

// The copy that counts. One that cannot be read is passed over if the other can.
template <class Value, class Parse, class Ordinal>
[[nodiscard]] result<std::optional<Value>> read_newer(const directory_handle& directory,
                                                      const Parse& parse, const Ordinal& ordinal) {
    auto first = read_copy<Value>(directory, retained_name, parse);
    auto second = read_copy<Value>(directory, retained_copy_name, parse);
    for (const auto* each : {&first, &second}) {
        if (!*each && each->error().code == errc::newer_format)
            return *each;
    }
    if (!first || !*first)
        return second && !*second ? std::move(first) : std::move(second);
    if (second && *second && ordinal(**second) > ordinal(**first))
        return second;
    return first;
}

[[nodiscard]] result<retained_header> read_header(const directory_handle& directory,
                                                  const journal_id& id, std::string_view name) {
    auto opened = directory.open(name, file::access::read);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    std::array<std::byte, sizeof(retained_header)> front{};
    if (auto read = opened->read_at(front, 0); !read)
        return std::unexpected(std::move(read.error()));
    return check_retained_header(front, opened->path(), id);
}

}  // namespace

result<retained_header> check_retained_header(std::span<const std::byte> from,
                                              const std::filesystem::path& path,
                                              const journal_id& id) {
    retained_header header{};
    if (from.size() < sizeof header)
        return wrong(errc::damaged, path, "shorter than its header");
    std::memcpy(&header, from.data(), sizeof header);
    if (header.magic != retained_magic)
        return wrong(errc::damaged, path, "not what a prune writes");
    // First: a flipped bit must not look like a newer program's file, which would be refused
    // although the other copy is whole. Newer versions keep this checksum.
    if (header.checksum != header_checksum(header))
        return wrong(errc::damaged, path, "header checksum mismatch");
    if (header.format_version > format_version || header.incompatible != 0)
        return wrong(errc::newer_format, path, "written by a newer program's prune");
    if ((header.must_know & ~understood_system_types) != 0)
        return wrong(errc::newer_format, path,
                     "what was pruned held system frames of a newer kind");
    if (std::memcmp(header.journal, id.data(), id.size()) != 0)
        return wrong(errc::damaged, path, "of another journal");
    if (header.first_ordinal == 0 || header.before_epoch == 0)
        return wrong(errc::damaged, path, "says that nothing was pruned");
    return header;
}

result<retained_log> parse_retained(std::span<const std::byte> from,
                                    const std::filesystem::path& path, const journal_id& id) {
    const auto header = check_retained_header(from, path, id);
    if (!header)
        return std::unexpected(header.error());
    auto body = from.subspan(sizeof(retained_header));
    if (hash_bytes(body.data(), body.size()) != header->body_checksum)
        return wrong(errc::damaged, path, "checksum mismatch");
    const std::uint64_t most_heads = body.size() / sizeof(stream_head);
    if (header->streams > most_heads || header->tags > most_heads - header->streams)
        return wrong(errc::damaged, path, "sections do not fit");
    const auto stream_bytes = static_cast<std::size_t>(header->streams * sizeof(stream_head));
    const auto tag_bytes = static_cast<std::size_t>(header->tags * sizeof(stream_head));
    if (header->commands > (body.size() - stream_bytes - tag_bytes) / sizeof(retained_command))
        return wrong(errc::damaged, path, "sections do not fit");
    const auto command_bytes =
        static_cast<std::size_t>(header->commands * sizeof(retained_command));
    const std::size_t fixed_bytes = stream_bytes + tag_bytes + command_bytes;
    if (header->name_bytes > body.size() - fixed_bytes ||
        header->description_bytes != body.size() - fixed_bytes - header->name_bytes) {
        return wrong(errc::damaged, path, "sections do not fit");
    }
    retained_log kept{.begin = begin_of(*header),
                      .must_know = header->must_know,
                      .events = header->pruned_events,
                      .bytes = header->pruned_bytes,
                      .pruned_ns = header->pruned_ns,
                      .streams = entries_in<stream_head>(body.first(stream_bytes)),
                      .tags = entries_in<stream_head>(body.subspan(stream_bytes, tag_bytes)),
                      .commands = entries_in<retained_command>(
                          body.subspan(stream_bytes + tag_bytes, command_bytes)),
                      .names = {},
                      .descriptions = {}};
    const auto names = body.subspan(fixed_bytes, static_cast<std::size_t>(header->name_bytes));
    const auto descriptions = body.subspan(fixed_bytes + names.size());
    if (!ascend(kept.streams) || !ascend(kept.tags) ||
        !possible(kept.commands, kept.begin.sequence()) ||
        !unpack_names(names, header->names, kept.names) ||
        !unpack_descriptions(descriptions, header->descriptions, kept.descriptions)) {
        return wrong(errc::damaged, path, "sections do not hold what the header says");
    }
    return kept;
}

namespace {

[[nodiscard]] result<retained_log> read_whole_copy(const directory_handle& directory,
                                                   const journal_id& id, std::string_view name) {
    constexpr std::uint64_t largest = std::uint64_t{1} << 40;
    const auto read = directory.read_whole(name, largest);
    if (!read)
        return std::unexpected(read.error());
    return parse_retained(*read, directory.path_of(name), id);
}

}  // namespace

result<std::optional<retained_log>> read_retained_copy(const directory_handle& directory,
                                                       const journal_id& id,
                                                       std::string_view name) {
    return read_copy<retained_log>(directory, name,
                                   [&](const directory_handle& in, std::string_view which) {
                                       return read_whole_copy(in, id, which);
                                   });
}

result<std::optional<retained_log>> read_retained(const directory_handle& directory,
                                                  const journal_id& id) {
    const auto parse = [&](const directory_handle& in, std::string_view name) {
        return read_whole_copy(in, id, name);
    };
    return read_newer<retained_log>(directory, parse,
                                    [](const retained_log& kept) { return kept.begin.ordinal; });
}

result<void> write_retained(const directory_handle& directory, const journal_id& id,
                            const retained_log& kept) {
    PAWL_ASSERT(std::ranges::adjacent_find(kept.streams, std::ranges::greater_equal{},
                                           &stream_head::stream) == kept.streams.end());
    PAWL_ASSERT(kept.streams.empty() || kept.streams.front().stream != no_stream_id);
    retained_header header = header_of(kept, id);
    const bytes names = pack_names(kept.names);
    const bytes descriptions = pack_descriptions(kept.descriptions);
    header.name_bytes = names.size();
    header.description_bytes = descriptions.size();
    const auto streams = std::as_bytes(std::span{kept.streams});
    const auto tags = std::as_bytes(std::span{kept.tags});
    const auto commands = std::as_bytes(std::span{kept.commands});
    header.body_checksum = hash_parts({streams, tags, commands, names, descriptions});
    header.checksum = header_checksum(header);
    const std::array parts{std::as_bytes(std::span{&header, 1}),
                           streams,
                           tags,
                           commands,
                           std::span<const std::byte>{names},
                           std::span<const std::byte>{descriptions}};
    for (const std::string_view name : {retained_name, retained_copy_name}) {
        if (auto written = directory.write_whole(name, parts); !written)
            return written;
    }
    return {};
}

result<log_begin> read_log_begin(const directory_handle& directory, const journal_id& id) {
    const auto parse = [&](const directory_handle& in, std::string_view name) {
        return read_header(in, id, name);
    };
    const auto ordinal = [](const retained_header& each) { return each.first_ordinal; };
    auto header = read_newer<retained_header>(directory, parse, ordinal);
    if (!header)
        return std::unexpected(std::move(header.error()));
    if (!*header)
        return log_begin{};
    // Two copies with the same beginning stand in for each other. If a prune wrote only one of
    // them, what the newer one says counts only if all of it can be read; until both are written,
    // every segment that the older one counts on is there.
    for (const std::string_view name : {retained_name, retained_copy_name}) {
        const auto copy = read_copy<retained_header>(directory, name, parse);
        if (copy && *copy && ordinal(**copy) == ordinal(**header))
            continue;
        auto whole = read_retained(directory, id);
        if (!whole)
            return std::unexpected(std::move(whole.error()));
        return *whole ? (*whole)->begin : log_begin{};
    }
    return begin_of(**header);
}

result<stream_heads> heads_of(const retained_log& kept, std::uint64_t expected_streams) {
    PAWL_ASSERT(kept.begin.is_pruned());
    auto heads = empty_heads(std::max<std::uint64_t>(expected_streams, kept.streams.size()));
    if (!heads)
        return heads;
    for (const stream_head& each : kept.streams) {
        stream_head* head = heads->slots.find_or_insert(each.stream);
        if (head == nullptr)
            return fail(errc::out_of_memory);
        *head = each;
    }
    for (const stream_head& each : kept.tags) {
        stream_head* tip = heads->tags.find_or_grow(each.stream);
        if (tip == nullptr)
            return fail(errc::out_of_memory);
        *tip = each;
    }
    heads->names = kept.names;
    heads->covers_something = true;
    heads->ordinal = kept.begin.ordinal - 1;
    heads->epoch = kept.begin.before.epoch;
    heads->end_sequence = kept.begin.sequence();
    heads->streams_so_far = heads->slots.used();
    return heads;
}

error before_the_beginning(const log_begin& begin, const directory_handle& directory,
                           sequence_number wanted) {
    return {.code = errc::pruned,
            .sequence = begin.sequence(),
            .file = directory.path().string(),
            .detail = "event " + std::to_string(wanted) +
                      " was pruned; the journal begins with sequence " +
                      std::to_string(begin.sequence())};
}

result<std::vector<std::uint64_t>> list_log(const directory_handle& directory,
                                            const log_begin& begin) {
    auto ordinals = list_segments(directory);
    if (ordinals)
        std::erase_if(*ordinals, [&](std::uint64_t each) { return each < begin.ordinal; });
    return ordinals;
}

}  // namespace pawl::detail
