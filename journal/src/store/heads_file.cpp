#include "store/heads_file.hpp"

#include "format/hash.hpp"
#include "os/assertion.hpp"
#include "os/file.hpp"
#include "store/directory.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

namespace pawl::detail {

namespace {

[[nodiscard]] std::uint64_t count_entries(std::span<const std::byte> table) noexcept {
    PAWL_ASSERT(table.size() % sizeof(stream_head) == 0);
    std::uint64_t streams = 0;
    for (std::size_t at = 0; at < table.size(); at += sizeof(stream_head))
        streams += load_u64(table.data() + at) != no_stream_id ? 1 : 0;
    return streams;
}

[[nodiscard]] std::unexpected<error> bad_heads(const std::filesystem::path& path,
                                               std::string detail) {
    return std::unexpected(error{
        .code = errc::damaged, .offset = 0, .file = path.string(), .detail = std::move(detail)});
}

// The table of tags in a file's body, which was checked, in memory of its own.
[[nodiscard]] result<head_slots> tag_table_in(const heads_header& header,
                                              std::span<const std::byte> body) {
    if (header.tag_slots == 0)
        return head_slots{};
    const auto table =
        body.subspan(static_cast<std::size_t>(header.slots * sizeof(stream_head)),
                     static_cast<std::size_t>(header.tag_slots * sizeof(stream_head)));
    auto memory = page_memory::make(table.size());
    if (!memory)
        return std::unexpected(std::move(memory.error()));
    std::memcpy(memory->data(), table.data(), table.size());
    return head_slots::over(std::move(*memory), header.tag_slots, header.tags);
}

}  // namespace

result<stream_heads> empty_heads(std::uint64_t expected_streams) {
    stream_heads heads;
    auto slots = head_slots::make(std::max<std::uint64_t>(expected_streams, 64) * 3 / 2);
    if (!slots)
        return std::unexpected(std::move(slots.error()));
    heads.slots = std::move(*slots);
    return heads;
}

result<void> write_heads(const directory_handle& directory, const journal_id& id,
                         const stream_heads& heads) {
    PAWL_ASSERT(heads.slots.used() < heads.slots.slots());
    PAWL_ASSERT(heads.tags.slots() == 0 || heads.tags.used() < heads.tags.slots());
    PAWL_ASSERT(heads.covers_something && heads.epoch != 0);
    std::array<std::byte, heads_entries_offset> first{};
    const auto names = pack_names(heads.names);
    heads_header header{};
    header.magic = heads_magic;
    header.format_version = format_version;
    header.header_bytes = sizeof header;
    std::memcpy(header.journal, id.data(), id.size());
    header.ordinal = heads.ordinal;
    header.epoch = heads.epoch;
    header.end_sequence = heads.end_sequence;
    header.slots = heads.slots.slots();
    header.streams = heads.slots.used();
    header.names = heads.names.size();
    header.name_bytes = names.size();
    header.tag_slots = heads.tags.slots();
    header.tags = heads.tags.used();
    const auto entries = std::as_bytes(heads.slots.all());
    const auto tags = std::as_bytes(heads.tags.all());
    header.body_checksum = hash_parts({entries, tags, names});
    header.checksum = header_checksum(header);
    std::memcpy(first.data(), &header, sizeof header);
    const std::array parts{std::span<const std::byte>{first}, entries, tags,
                           std::span<const std::byte>{names}};
    return directory.write_whole(heads_name, parts);
}

result<heads_header> check_heads_header(std::span<const std::byte> first, std::uint64_t body_bytes,
                                        const std::filesystem::path& path, const journal_id& id) {
    PAWL_ASSERT(first.size() == heads_entries_offset);
    heads_header header{};
    std::memcpy(&header, first.data(), sizeof header);
    if (header.magic != heads_magic || header.format_version > format_version ||
        header.checksum != header_checksum(header) ||
        std::memcmp(header.journal, id.data(), id.size()) != 0) {
        return bad_heads(path, "not this journal's stream heads");
    }
    const auto padding = first.subspan(sizeof header);
    if (std::ranges::any_of(padding, [](std::byte b) { return b != std::byte{0}; }))
        return bad_heads(path, "nonzero bytes after the header");
    const std::uint64_t most_slots = body_bytes / sizeof(stream_head);
    if (header.slots == 0 || header.slots > most_slots ||
        header.tag_slots > most_slots - header.slots ||
        header.name_bytes != body_bytes - (header.slots + header.tag_slots) * sizeof(stream_head) ||
        header.streams >= header.slots ||
        (header.tag_slots == 0 ? header.tags != 0 : header.tags >= header.tag_slots)) {
        return bad_heads(path, "sections do not fit");
    }
    return header;
}

result<void> check_heads_body(const heads_header& header, std::span<const std::byte> body,
                              const std::filesystem::path& path, name_map& names) {
    PAWL_ASSERT(header.slots <= body.size() / sizeof(stream_head));
    if (hash_bytes(body.data(), body.size()) != header.body_checksum)
        return bad_heads(path, "checksum mismatch");
    const auto table_bytes = static_cast<std::size_t>(header.slots * sizeof(stream_head));
    const auto tag_bytes = static_cast<std::size_t>(header.tag_slots * sizeof(stream_head));
    // A search in a table without a free slot would never end.
    if (count_entries(body.first(table_bytes)) != header.streams)
        return bad_heads(path,
                         "the table does not have the number of streams that the header gives");
    if (count_entries(body.subspan(table_bytes, tag_bytes)) != header.tags)
        return bad_heads(path, "the table does not have the number of tags that the header gives");
    if (!unpack_names(body.subspan(table_bytes + tag_bytes), header.names, names))
        return bad_heads(path, "names do not fit");
    return {};
}

result<stream_heads> read_heads(const directory_handle& directory, const journal_id& id) {
    const auto path = directory.path_of(heads_name);
    auto opened = directory.open(heads_name, file::access::read);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    auto size = opened->size();
    if (!size)
        return std::unexpected(std::move(size.error()));
    if (*size < heads_entries_offset)
        return bad_heads(path, "shorter than its header");
    std::array<std::byte, heads_entries_offset> first{};
    if (auto read = opened->read_at(first, 0); !read)
        return std::unexpected(std::move(read.error()));
    const std::uint64_t body_bytes = *size - heads_entries_offset;
    const auto header = check_heads_header(first, body_bytes, path, id);
    if (!header)
        return std::unexpected(header.error());
    auto memory = page_memory::make(static_cast<std::size_t>(body_bytes));
    if (!memory)
        return std::unexpected(std::move(memory.error()));
    const std::span body{memory->data(), memory->size()};
    if (auto read = opened->read_at(body, heads_entries_offset); !read)
        return std::unexpected(std::move(read.error()));
    stream_heads heads;
    if (auto checked = check_heads_body(*header, body, path, heads.names); !checked)
        return std::unexpected(std::move(checked.error()));
    auto tags = tag_table_in(*header, body);
    if (!tags)
        return std::unexpected(std::move(tags.error()));
    heads.tags = std::move(*tags);
    heads.slots = head_slots::over(std::move(*memory), header->slots, header->streams);
    heads.covers_something = true;
    heads.ordinal = header->ordinal;
    heads.epoch = header->epoch;
    heads.end_sequence = header->end_sequence;
    return heads;
}

}  // namespace pawl::detail
