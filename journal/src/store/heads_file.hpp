// The file of stream heads: the version and last position of every stream, the last event of every
// tag, and the names assigned, up to the end of a sealed segment. Derived from the log, and rebuilt
// if it is missing or wrong.
#pragma once

#include "format/heads_layout.hpp"
#include "os/directory_handle.hpp"
#include "store/head_slots.hpp"
#include "store/packed_names.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <span>

namespace pawl::detail {

// What the next open has to merge because the file does not hold it.
struct unwritten_heads {
    std::uint64_t entries = 0;   // of indexes: streams, tags and names
    std::uint64_t segments = 0;  // to which those indexes belong

    // Adds a segment whose index has `more` entries.
    void add(std::uint64_t more) noexcept {
        entries += more;
        ++segments;
    }
    // In entries: opening a segment and its index costs as much as merging several hundred.
    [[nodiscard]] std::uint64_t cost() const noexcept { return entries + segments * 512; }
};

// The contents of the file.
struct stream_heads {
    head_slots slots;
    head_slots tags;
    name_map names;
    bool covers_something = false;  // false: the beginning of the journal
    std::uint64_t ordinal = 0;      // the last segment merged
    std::uint64_t epoch = 0;
    sequence_number end_sequence = 0;
    unwritten_heads unwritten{};  // merged since the file was read

    [[nodiscard]] stream_id next_named_stream() const noexcept {
        return first_named_stream + names.size();
    }
};

[[nodiscard]] result<stream_heads> empty_heads(std::uint64_t expected_streams);
// not_found, or damaged if the file is not this journal's or its checksum is wrong. The table is a
// private copy: changing it changes memory only.
[[nodiscard]] result<stream_heads> read_heads(const directory_handle& directory,
                                              const journal_id& id);
// Check the file in two steps: first its first heads_entries_offset bytes, which `body_bytes` more
// follow; then those, from which the names are read. Errors name `path`.
[[nodiscard]] result<heads_header> check_heads_header(std::span<const std::byte> first,
                                                      std::uint64_t body_bytes,
                                                      const std::filesystem::path& path,
                                                      const journal_id& id);
[[nodiscard]] result<void> check_heads_body(const heads_header& header,
                                            std::span<const std::byte> body,
                                            const std::filesystem::path& path, name_map& names);
[[nodiscard]] result<void> write_heads(const directory_handle& directory, const journal_id& id,
                                       const stream_heads& heads);

}  // namespace pawl::detail
