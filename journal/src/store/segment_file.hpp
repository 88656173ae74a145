// One segment file: creating it, opening it and reading its header.
#pragma once

#include "format/frame_check.hpp"
#include "format/segment_layout.hpp"
#include "os/data_ranges.hpp"
#include "os/directory_handle.hpp"
#include "os/mapping.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>

namespace pawl::detail {

// Where a segment's predecessor ended; epoch 0 if the segment was prepared ahead of time or is the
// first.
struct predecessor {
    std::uint64_t epoch = 0;
    std::uint64_t end_offset = 0;
    std::uint64_t end_hash = 0;
    std::uint64_t start_sequence = 0;
};

struct segment_request {
    directory_handle directory;
    journal_id id{};
    std::uint64_t ordinal = 0;
    std::uint64_t segment_bytes = 0;
    predecessor before{};
    // `replace` only for a segment that was prepared and never used.
    directory_handle::on_existing existing = directory_handle::on_existing::fail;
    // How much of the file to allocate; the rest is a hole. For a segment that is closed at once.
    std::uint64_t allocate_bytes = no_value;
};

// Releases the space of the whole pages from `offset` to the segment's end, which must be zero.
[[nodiscard]] result<void> release_zero_space(const file& source, std::uint64_t offset,
                                              std::uint64_t segment_bytes);

// A segment open for writing.
struct writable_segment {
    segment_header header{};
    mapping bytes;
    file source;

    [[nodiscard]] frame_space space() const noexcept {
        return {bytes.data(), bytes.size(), header.epoch};
    }
    // Which parts of it hold data now.
    [[nodiscard]] data_ranges data() const { return data_ranges::of(source, bytes.size()); }
};

// Builds the whole file under a temporary name, syncs it, renames it and syncs the directory: when
// this returns, the segment survives a power cut.
[[nodiscard]] result<writable_segment> create_segment(const segment_request& request);

struct read_segment {
    segment_header header{};
    mapping bytes;
    file source;
    file_identity which{};  // to check whether the name still refers to this file
    bool one_header_bad = false;
    std::string header_note{};  // which copy, and why

    [[nodiscard]] frame_space space() const noexcept {
        return {bytes.data(), bytes.size(), header.epoch};
    }
    // Which parts of it hold data now.
    [[nodiscard]] data_ranges data() const { return data_ranges::of(source, bytes.size()); }
};

// Maps a segment for reading. damaged if neither header copy is valid, the file is too short, or it
// belongs elsewhere; missing_segment if there is no file.
[[nodiscard]] result<read_segment> open_segment(const directory_handle& directory,
                                                const journal_id& id, std::uint64_t ordinal);
// Maps what there is of a segment whose file ends too early, for salvage: `bytes` is shorter than
// the header says. damaged if that is not what is wrong with it.
[[nodiscard]] result<read_segment> open_shortened_segment(const directory_handle& directory,
                                                          const journal_id& id,
                                                          std::uint64_t ordinal);
// Checks header and size like open_segment, without mapping the file.
[[nodiscard]] result<segment_header> check_segment_header(const directory_handle& directory,
                                                          const journal_id& id,
                                                          std::uint64_t ordinal);
// Maps a segment for rewriting it (recovery only). Replaces a file that has several names by a copy
// first.
[[nodiscard]] result<writable_segment> open_segment_for_repair(const directory_handle& directory,
                                                               const journal_id& id,
                                                               std::uint64_t ordinal);

}  // namespace pawl::detail
