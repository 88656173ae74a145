// A sealed segment's index: derived from its frames, checksummed, rebuilt when absent.
#pragma once

#include "format/frame_check.hpp"
#include "format/index_layout.hpp"
#include "os/data_ranges.hpp"
#include "os/directory_handle.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

namespace pawl::detail {

struct segment_index {
    index_header header{};
    std::vector<index_mark> marks;
    std::vector<index_stream> streams;
    std::vector<std::uint64_t> names;  // offsets of name frames
    std::vector<index_type> types;

    [[nodiscard]] const index_stream* find_stream(stream_id stream) const noexcept;
};

struct index_source {
    frame_space space;
    journal_id id{};
    std::uint64_t ordinal = 0;
    // Where given, bytes that are not zero behind a clean end are damage, as they are in a segment
    // that is sealed or about to be; elsewhere they may be scribbles that were zeroed in memory
    // only.
    const data_ranges* behind_end = nullptr;
};

// Reads the whole segment, which must be complete: damaged, with offset and sequence, where a frame
// is wrong, where a stream's links or versions do not fit, or where bytes follow a clean end.
[[nodiscard]] result<segment_index> build_index(const index_source& source,
                                                const std::filesystem::path& segment);

[[nodiscard]] result<void> write_index(const directory_handle& directory,
                                       const segment_index& index, std::uint32_t mode);
// The header alone, which is enough to know where a sealed segment ends. Errors as read_index.
[[nodiscard]] result<index_header> read_index_header(const directory_handle& directory,
                                                     const journal_id& id, std::uint64_t ordinal);
// An index as it lies in a file; the errors name `path`.
[[nodiscard]] result<segment_index> parse_index(std::span<const std::byte> bytes,
                                                const std::filesystem::path& path,
                                                const journal_id& id, std::uint64_t ordinal);
// The last mark at or before the sequence, without a look at the rest of the index, which may be
// large: only a hint, since nothing has checked it, until the frame that it names has.
[[nodiscard]] result<index_mark> read_mark_before(const directory_handle& directory,
                                                  const index_header& header,
                                                  sequence_number sequence);
// not_found where there is none; damaged where it is not this segment's or its checksum is wrong.
[[nodiscard]] result<segment_index> read_index(const directory_handle& directory,
                                               const journal_id& id, std::uint64_t ordinal);

}  // namespace pawl::detail
