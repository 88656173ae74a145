#include "heads_file.hpp"

#include "directory.hpp"
#include "file.hpp"
#include "hash.hpp"
#include "planted.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

namespace pawl::detail {

namespace {

// A name as it lies behind the table: number, length, bytes.
constexpr std::size_t name_prefix_bytes = sizeof(std::uint64_t) + sizeof(std::uint32_t);

[[nodiscard]] std::vector<std::byte> pack_names(const name_map& names) {
    std::vector<std::byte> packed;
    for (const auto& [name, stream] : names) {
        const std::size_t at = packed.size();
        packed.resize(at + name_prefix_bytes + name.size());
        store_u64(packed.data() + at, stream);
        store_u32(packed.data() + at + sizeof stream, static_cast<std::uint32_t>(name.size()));
        std::memcpy(packed.data() + at + name_prefix_bytes, name.data(), name.size());
    }
    return packed;
}

[[nodiscard]] bool unpack_names(std::span<const std::byte> packed, std::uint64_t count,
                                name_map& names) {
    for (std::uint64_t i = 0; i < count; ++i) {
        if (packed.size() < name_prefix_bytes)
            return false;
        const std::uint64_t stream = load_u64(packed.data());
        const std::size_t bytes = load_u32(packed.data() + sizeof stream);
        packed = packed.subspan(name_prefix_bytes);
        if (packed.size() < bytes)
            return false;
        names.emplace(std::string{reinterpret_cast<const char*>(packed.data()), bytes}, stream);
        packed = packed.subspan(bytes);
    }
    return packed.empty() && names.size() == count;
}

[[nodiscard]] std::unexpected<error> bad_heads(const std::filesystem::path& path,
                                               std::string detail) {
    return std::unexpected(error{
        .code = errc::damaged, .offset = 0, .file = path.string(), .detail = std::move(detail)});
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

std::uint64_t heads_file_bytes(const stream_heads& heads) noexcept {
    return heads_entries_offset + heads.slots.slots() * sizeof(stream_head);
}

result<void> write_heads(const std::filesystem::path& directory, const journal_id& id,
                         const stream_heads& heads, std::uint32_t mode) {
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
    const auto entries = std::as_bytes(heads.slots.all());
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, entries.data(), entries.size());
    XXH3_64bits_update(&state, names.data(), names.size());
    header.body_checksum = XXH3_64bits_digest(&state);
    header.checksum = header_checksum(header);
    std::memcpy(first.data(), &header, sizeof header);
    const std::array parts{std::span<const std::byte>{first}, entries,
                           std::span<const std::byte>{names}};
    return replace_file(heads_path(directory), parts, mode);
}

result<stream_heads> read_heads(const std::filesystem::path& directory, const journal_id& id) {
    const auto path = heads_path(directory);
    auto opened = file::open(path, file::access::read);
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
    heads_header header{};
    std::memcpy(&header, first.data(), sizeof header);
    if (header.magic != heads_magic || header.format_version > format_version ||
        header.checksum != header_checksum(header) ||
        std::memcmp(header.journal, id.data(), id.size()) != 0) {
        return bad_heads(path, "not this journal's stream heads");
    }
    const auto padding = std::span{first}.subspan(sizeof header);
    if (std::ranges::any_of(padding, [](std::byte b) { return b != std::byte{0}; }))
        return bad_heads(path, "bytes behind the header");
    const std::uint64_t body_bytes = *size - heads_entries_offset;
    if (header.slots == 0 || header.slots > body_bytes / sizeof(stream_head) ||
        header.name_bytes != body_bytes - header.slots * sizeof(stream_head) ||
        header.streams >= header.slots) {
        return bad_heads(path, "sections do not fit");
    }
    auto memory = page_memory::make(static_cast<std::size_t>(body_bytes));
    if (!memory)
        return std::unexpected(std::move(memory.error()));
    const std::byte* body = memory->data();
    if (auto read = opened->read_at({memory->data(), memory->size()}, heads_entries_offset); !read)
        return std::unexpected(std::move(read.error()));
    if (hash_bytes(body, static_cast<std::size_t>(body_bytes)) != header.body_checksum &&
        !planted(bug::heads_not_checked)) {
        return bad_heads(path, "checksum mismatch");
    }
    stream_heads heads;
    const std::span names{body + header.slots * sizeof(stream_head),
                          static_cast<std::size_t>(header.name_bytes)};
    if (!unpack_names(names, header.names, heads.names))
        return bad_heads(path, "names do not fit");
    heads.slots = head_slots::over(std::move(*memory), header.slots, header.streams);
    heads.covers_something = true;
    heads.ordinal = header.ordinal;
    heads.epoch = header.epoch;
    heads.end_sequence = header.end_sequence;
    return heads;
}

}  // namespace pawl::detail
