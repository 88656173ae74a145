// A sealed segment's index: derived from its frames, checksummed, and rebuilt if it is missing.
#pragma once

#include "format/frame_check.hpp"
#include "format/index_layout.hpp"
#include "os/data_ranges.hpp"
#include "os/directory_handle.hpp"
#include "store/segment_file.hpp"

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
    std::vector<indexed_name> names;
    std::vector<index_type> types;
    std::vector<index_command> commands;
    std::vector<index_tag> tags;
    std::vector<index_posting> postings;

    [[nodiscard]] const index_stream* find_stream(stream_id stream) const noexcept;
    [[nodiscard]] std::span<const index_posting> postings_of(tag_id tag) const noexcept;
    // That stream heads take from it.
    [[nodiscard]] std::uint64_t head_entries() const noexcept {
        return streams.size() + names.size() + tags.size();
    }
};

// In a built index, marks a link to an earlier segment that has not been looked up yet.
inline constexpr std::uint32_t not_linked = 0xffffffff;

struct index_source {
    frame_space space;
    journal_id id{};
    std::uint64_t ordinal = 0;
    // If given, nonzero bytes after a clean end are damage, as in a segment that is sealed or about
    // to be. In other segments they may be leftovers that were zeroed only in memory.
    const data_ranges* behind_end = nullptr;
};

// Reads the whole segment, which must be complete. damaged, with offset and sequence, if a frame is
// wrong, a stream's links or versions do not fit, or bytes follow a clean end. A stream that does
// not begin in this segment is not_linked, and so is index_header::commands_back.
[[nodiscard]] result<segment_index> build_index(const index_source& source,
                                                const std::filesystem::path& segment);

// The same of an earlier segment whose own index is missing, damaged or of another segment.
[[nodiscard]] result<segment_index> index_from_frames(const read_segment& segment,
                                                      const directory_handle& directory,
                                                      const journal_id& id);

// The bytes of the index file. Every stream must have been linked.
[[nodiscard]] std::vector<std::byte> encode_index(const segment_index& index);
[[nodiscard]] result<void> write_index(const directory_handle& directory,
                                       const segment_index& index);
// The header alone, which is enough to know where a sealed segment ends. Errors as for
// index_file::open.
[[nodiscard]] result<index_header> read_index_header(const directory_handle& directory,
                                                     const journal_id& id, std::uint64_t ordinal);
// Whether the index is of this segment: of the same life, and ending with the same frame. The log
// decides: any other is as good as none.
[[nodiscard]] bool is_of_segment(const index_header& index, const read_segment& segment);
// Whether the stream's last event in the segment is where the index says.
[[nodiscard]] bool is_at_its_place(const index_stream& stream, const frame_space& space) noexcept;
// Whether the frame there is an event that names the tag.
[[nodiscard]] bool names_tag(const frame_space& space, std::uint64_t offset, tag_id tag) noexcept;
// The same of all streams and names that the index lists, and of each tag's last event.
[[nodiscard]] bool lists_what_is_there(const segment_index& index,
                                       const frame_space& space) noexcept;
// A whole index from the bytes of its file, with every block checked; the errors name `path`.
[[nodiscard]] result<segment_index> parse_index(std::span<const std::byte> bytes,
                                                const std::filesystem::path& path,
                                                const journal_id& id, std::uint64_t ordinal);
// The same from its file. Errors as for index_file::open.
[[nodiscard]] result<segment_index> read_index(const directory_handle& directory,
                                               const journal_id& id, std::uint64_t ordinal);

}  // namespace pawl::detail
