#include "store/index_file.hpp"

#include "format/block_checksum.hpp"
#include "format/segment_layout.hpp"
#include "os/assertion.hpp"
#include "os/file.hpp"
#include "store/directory.hpp"

#include <cstring>
#include <utility>

namespace pawl::detail {

namespace {

constexpr std::size_t checksum_bytes = sizeof(std::uint64_t);

// By kind; 0 for those that no version writes yet.
constexpr std::array<std::uint32_t, 9> entry_sizes{sizeof(index_mark),
                                                   sizeof(index_stream),
                                                   sizeof(indexed_name),
                                                   sizeof(index_type),
                                                   sizeof(index_tag),
                                                   sizeof(index_command),
                                                   0,
                                                   0,
                                                   sizeof(index_posting)};

[[nodiscard]] std::unexpected<error> refuse(errc code, const std::filesystem::path& path,
                                            std::uint64_t offset, std::string detail) {
    return std::unexpected(
        error{.code = code, .offset = offset, .file = path.string(), .detail = std::move(detail)});
}

[[nodiscard]] bool is_possible(const index_tag& tag, std::uint64_t postings) noexcept {
    return tag.tag != 0 && tag.postings != 0 && tag.first <= postings &&
           tag.postings <= postings - tag.first;
}

}  // namespace

bool is_possible(const index_command& command, const index_header& in) noexcept {
    const std::uint64_t offset = command.first_offset();
    return offset >= first_frame_offset && offset < in.end_offset && command.events != 0 &&
           command.first_sequence >= in.first_sequence &&
           command.first_sequence < in.end_sequence &&
           command.events <= in.end_sequence - command.first_sequence;
}

result<index_header> check_index_header(std::span<const std::byte> bytes,
                                        const std::filesystem::path& path, const journal_id& id,
                                        std::uint64_t ordinal) {
    index_header header{};
    const auto wrong = [&](std::uint64_t offset, std::string detail) {
        return refuse(errc::damaged, path, offset, std::move(detail));
    };
    if (bytes.size() < sizeof header)
        return wrong(bytes.size(), "shorter than an index header");
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.magic != index_magic)
        return wrong(0, "not an index");
    if (header.checksum != header_checksum(header))
        return wrong(offsetof(index_header, checksum), "index header checksum mismatch");
    if (header.format_version > format_version || header.incompatible != 0 ||
        (header.system_types & ~understood_system_types) != 0) {
        return refuse(errc::newer_format, path, offsetof(index_header, format_version),
                      "the segment holds what only a newer program understands");
    }
    if (std::memcmp(header.journal, id.data(), id.size()) != 0 || header.ordinal != ordinal)
        return wrong(offsetof(index_header, journal), "the index belongs to another segment");
    return header;
}

result<index_file> index_file::open(const directory_handle& directory, const journal_id& id,
                                    std::uint64_t ordinal) {
    const auto path = directory.path_of(index_name(ordinal));
    auto opened = directory.open(index_name(ordinal), file::access::read);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    auto size = opened->size();
    if (!size)
        return std::unexpected(std::move(size.error()));
    if (*size < sizeof(index_header))
        return refuse(errc::damaged, path, *size, "shorter than an index header");
    auto mapped = mapping::of(*opened, mapping::access::read, *size);
    if (!mapped)
        return std::unexpected(std::move(mapped.error()));
    auto made = over({mapped->data(), mapped->size()}, path, id, ordinal);
    if (auto whole = mapped->whole(); !whole)
        return std::unexpected(std::move(whole.error()));
    if (made)
        made->mapped_ = std::move(*mapped);
    return made;
}

result<index_file> index_file::over(std::span<const std::byte> bytes,
                                    const std::filesystem::path& path, const journal_id& id,
                                    std::uint64_t ordinal) {
    auto header = check_index_header(bytes, path, id, ordinal);
    if (!header)
        return std::unexpected(std::move(header.error()));
    index_file made{bytes, path};
    made.header_ = *header;
    if (auto fits = made.check_layout(); !fits)
        return std::unexpected(std::move(fits.error()));
    return made;
}

std::unexpected<error> index_file::wrong(std::string detail, std::uint64_t offset) const {
    return refuse(errc::damaged, path_, offset, std::move(detail));
}

// The file ends with the checksums, and every section lies between the table and them.
result<void> index_file::check_layout() {
    const std::uint64_t end = header_.checksums_offset;
    if (end < sizeof(index_header) || end % sizeof(std::uint64_t) != 0 || end > bytes_.size() ||
        bytes_.size() - end != checked_blocks(end) * checksum_bytes) {
        return wrong("the index does not have the size that its header gives",
                     offsetof(index_header, checksums_offset));
    }
    if (header_.sections > (end - sizeof(index_header)) / sizeof(index_section))
        return wrong("the table of sections does not fit", offsetof(index_header, sections));
    if (header_.end_offset < first_frame_offset || header_.first_sequence > header_.end_sequence)
        return wrong("the index gives an impossible end of the segment",
                     offsetof(index_header, end_offset));
    checked_.assign(static_cast<std::size_t>(checked_blocks(end)), false);
    const std::uint64_t table_end =
        sizeof(index_header) + std::uint64_t{header_.sections} * sizeof(index_section);
    if (auto right = check_blocks(0, table_end); !right)
        return right;
    for (std::uint64_t entry = sizeof(index_header); entry < table_end;
         entry += sizeof(index_section)) {
        if (auto taken = take_section(entry); !taken)
            return taken;
    }
    return {};
}

result<void> index_file::take_section(std::uint64_t at) {
    PAWL_ASSERT(at >= sizeof(index_header) && bytes_.size() - at >= sizeof(index_section));
    index_section section{};
    std::memcpy(&section, bytes_.data() + at, sizeof section);
    const std::size_t number = section.kind;
    if (number == 0 || number > known_sections || entry_sizes[number - 1] == 0) {
        if ((section.flags & section_must_be_known) == 0)
            return {};
        return refuse(errc::newer_format, path_, at,
                      "the index has a section that only a newer program understands");
    }
    const std::uint64_t table_end =
        sizeof(index_header) + std::uint64_t{header_.sections} * sizeof(index_section);
    const std::uint64_t end = header_.checksums_offset;
    index_section& known = sections_[number - 1];
    if (known.kind != 0 || section.entry_bytes != entry_sizes[number - 1] ||
        section.offset % sizeof(std::uint64_t) != 0 || section.offset < table_end ||
        section.offset > end || section.bytes > end - section.offset ||
        section.bytes / section.entry_bytes != section.count ||
        section.bytes % section.entry_bytes != 0) {
        return wrong("index section " + std::to_string(section.kind) + " does not fit", at);
    }
    known = section;
    return {};
}

result<void> index_file::check_blocks(std::uint64_t begin, std::uint64_t end) {
    PAWL_ASSERT(begin <= end && end <= header_.checksums_offset);
    PAWL_ASSERT(checked_.size() == checked_blocks(header_.checksums_offset));
    for (std::uint64_t block = begin / checked_block_bytes; block * checked_block_bytes < end;
         ++block) {
        if (checked_[static_cast<std::size_t>(block)])
            continue;
        const std::uint64_t offset = block * checked_block_bytes;
        const auto content = bytes_.first(static_cast<std::size_t>(header_.checksums_offset));
        const std::uint64_t expected =
            load_u64(bytes_.data() + header_.checksums_offset + block * checksum_bytes);
        ++blocks_checked_;
        if (block_checksum(content, offset, header_.epoch) != expected)
            return wrong("index block checksum mismatch", offset);
        checked_[static_cast<std::size_t>(block)] = true;
    }
    return {};
}

result<void> index_file::check_all() {
    if (auto right = check_blocks(0, header_.checksums_offset); !right)
        return right;
    return mapped_ ? mapped_.whole() : result<void>{};
}

std::span<const std::byte> index_file::section(index_section_kind kind) const noexcept {
    const index_section& of = at(kind);
    PAWL_ASSERT(of.offset <= bytes_.size() && of.bytes <= bytes_.size() - of.offset);
    return bytes_.subspan(static_cast<std::size_t>(of.offset), static_cast<std::size_t>(of.bytes));
}

bool index_file::possible_offset(std::uint64_t offset) const noexcept {
    return offset >= first_frame_offset && offset < header_.end_offset &&
           offset % frame_alignment == 0;
}

template <class Entry>
result<Entry> index_file::entry(const index_section& from, std::uint64_t number) {
    PAWL_ASSERT(number < from.count && from.entry_bytes == sizeof(Entry));
    const std::uint64_t offset = from.offset + number * sizeof(Entry);
    if (auto right = check_blocks(offset, offset + sizeof(Entry)); !right)
        return std::unexpected(std::move(right.error()));
    Entry read{};
    std::memcpy(&read, bytes_.data() + offset, sizeof read);
    // If a page could not be read, zeros stand in for it.
    if (mapped_ && mapped_.faulted())
        return std::unexpected(mapped_.whole().error());
    return read;
}

template <class Entry, class Before>
result<std::uint64_t> index_file::partition_point(const index_section& in, Before before) {
    std::uint64_t begin = 0;
    std::uint64_t end = in.count;
    while (begin < end) {
        const std::uint64_t middle = begin + (end - begin) / 2;
        auto read = entry<Entry>(in, middle);
        if (!read)
            return std::unexpected(std::move(read.error()));
        if (before(*read))
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

result<std::optional<index_stream>> index_file::find_stream(stream_id stream) {
    const index_section& streams = at(index_section_kind::streams);
    const auto first = partition_point<index_stream>(
        streams, [&](const index_stream& other) { return other.stream < stream; });
    if (!first)
        return std::unexpected(first.error());
    if (*first == streams.count)
        return std::nullopt;
    auto read = entry<index_stream>(streams, *first);
    if (!read)
        return std::unexpected(std::move(read.error()));
    if (read->stream != stream)
        return std::nullopt;
    if (!possible_offset(read->last_offset()) || read->segments_back > header_.ordinal) {
        return wrong("stream " + std::to_string(stream) + " cannot lie where the index says",
                     streams.offset + *first * sizeof(index_stream));
    }
    return *read;
}

template <class Before>
result<std::optional<index_mark>> index_file::last_mark(Before is_before) {
    const index_section& marks = at(index_section_kind::marks);
    const auto after = partition_point<index_mark>(marks, is_before);
    if (!after)
        return std::unexpected(after.error());
    if (*after == 0)
        return std::nullopt;
    auto read = entry<index_mark>(marks, *after - 1);
    if (!read)
        return std::unexpected(std::move(read.error()));
    if (!possible_offset(read->offset))
        return wrong("a mark names an impossible place", marks.offset);
    return *read;
}

result<std::optional<index_mark>> index_file::mark_before(sequence_number sequence) {
    return last_mark([&](const index_mark& mark) { return mark.sequence <= sequence; });
}

// The times of marks are running maxima, so they ascend even if those of events do not.
result<std::optional<index_mark>> index_file::mark_before_time(std::uint64_t since_ns) {
    return last_mark([&](const index_mark& mark) { return mark.max_timestamp_ns < since_ns; });
}

result<std::vector<std::uint64_t>> index_file::find_name(std::string_view name) {
    const index_section& names = at(index_section_kind::names);
    const std::uint64_t hash =
        hash_bytes(reinterpret_cast<const std::byte*>(name.data()), name.size());
    auto number = partition_point<indexed_name>(
        names, [&](const indexed_name& other) { return other.hash < hash; });
    if (!number)
        return std::unexpected(std::move(number.error()));
    std::vector<std::uint64_t> offsets;
    for (; *number < names.count; ++*number) {
        auto read = entry<indexed_name>(names, *number);
        if (!read)
            return std::unexpected(std::move(read.error()));
        if (read->hash != hash)
            break;
        if (!possible_offset(read->offset))
            return wrong("a name lies at an impossible place", names.offset);
        offsets.push_back(read->offset);
    }
    return offsets;
}

result<std::vector<index_command>> index_file::commands() {
    const index_section& section = at(index_section_kind::commands);
    if (auto right = check_blocks(section.offset, section.offset + section.bytes); !right)
        return std::unexpected(std::move(right.error()));
    std::vector<index_command> commands(static_cast<std::size_t>(section.count));
    if (!commands.empty())
        std::memcpy(commands.data(), bytes_.data() + section.offset,
                    static_cast<std::size_t>(section.bytes));
    if (mapped_ && mapped_.faulted())
        return std::unexpected(mapped_.whole().error());
    for (const index_command& command : commands) {
        if (!is_possible(command, header_))
            return wrong("a command lies at an impossible place", section.offset);
    }
    return commands;
}

result<std::vector<std::uint64_t>> index_file::find_tag(tag_id tag) {
    std::vector<std::uint64_t> offsets;
    const index_section& tags = at(index_section_kind::tags);
    const index_section& postings = at(index_section_kind::postings);
    const auto first =
        partition_point<index_tag>(tags, [&](const index_tag& other) { return other.tag < tag; });
    if (!first)
        return std::unexpected(first.error());
    if (*first == tags.count)
        return offsets;
    const auto named = entry<index_tag>(tags, *first);
    if (!named)
        return std::unexpected(named.error());
    if (named->tag != tag)
        return offsets;
    if (!is_possible(*named, postings.count))
        return wrong("tag " + std::to_string(tag) + " has postings that are not there",
                     tags.offset + *first * sizeof(index_tag));
    offsets.reserve(named->postings);
    for (std::uint64_t number = named->first; offsets.size() < named->postings; ++number) {
        const auto posting = entry<index_posting>(postings, number);
        if (!posting)
            return std::unexpected(posting.error());
        const std::uint64_t offset = std::uint64_t{*posting} * frame_alignment;
        if (!possible_offset(offset) || (!offsets.empty() && offset <= offsets.back()))
            return wrong("a posting of tag " + std::to_string(tag) + " is impossible",
                         postings.offset + number * sizeof(index_posting));
        offsets.push_back(offset);
    }
    return offsets;
}

bool are_possible(std::span<const index_tag> tags, std::span<const index_posting> postings,
                  const index_header& in) noexcept {
    std::uint64_t next = 0;
    tag_id before = 0;
    for (const index_tag& tag : tags) {
        if (tag.tag <= before || tag.first != next || !is_possible(tag, postings.size()))
            return false;
        std::uint64_t last = 0;
        for (const index_posting posting : postings.subspan(tag.first, tag.postings)) {
            const std::uint64_t offset = std::uint64_t{posting} * frame_alignment;
            if (offset < first_frame_offset || offset >= in.end_offset || offset <= last)
                return false;
            last = offset;
        }
        before = tag.tag;
        next += tag.postings;
    }
    return next == postings.size();
}

}  // namespace pawl::detail
