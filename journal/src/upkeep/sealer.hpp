// Seals complete, synced segments: writes their indexes and, from time to time, the file of stream
// heads.
#pragma once

#include "store/heads_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

namespace pawl::detail {

struct sealer_setup {
    directory_handle directory;
    journal_id id{};
    std::uint64_t expected_streams = 0;
    std::uint64_t first_ordinal = 0;  // of the segment that the writer begins with
    std::uint64_t heads = 0;          // of streams and tags, known when the writer was opened
    unwritten_heads unwritten{};      // at that time, including segments that are not sealed yet
};

class sealer {
  public:
    explicit sealer(sealer_setup setup) : setup_{std::move(setup)}, unwritten_{setup_.unwritten} {}

    // Adds a segment that is complete and on stable storage. Any thread; ordinals must ascend.
    void enqueue(std::uint64_t ordinal);
    // How many were added so far. Any thread.
    [[nodiscard]] std::uint64_t enqueued();
    // Seals one segment; false if none is waiting. One thread at a time.
    [[nodiscard]] result<bool> step();
    // Writes the heads once an open would have to merge as many entries as the file holds, or, if
    // `closing`, a sixteenth as many. So the work of an open stays in proportion to the file, and
    // the bytes written in proportion to the entries of the indexes. Entries that an earlier writer
    // left unwritten count.
    [[nodiscard]] result<void> write_heads_if_due(bool closing);

  private:
    [[nodiscard]] std::optional<std::uint64_t> front();
    [[nodiscard]] result<void> load_heads_before(std::uint64_t ordinal);
    // Links the index to earlier segments, for which it loads the heads only if they are needed.
    [[nodiscard]] result<void> link(segment_index& index);
    [[nodiscard]] const stream_heads* heads_at_end_before(std::uint64_t ordinal) const noexcept;

    sealer_setup setup_;
    std::mutex mutex_;
    std::deque<std::uint64_t> waiting_;
    std::uint64_t enqueued_ = 0;
    // The sealing thread's own copy of the heads, loaded when first needed.
    std::optional<stream_heads> heads_;
    unwritten_heads unwritten_{};
    std::uint64_t newest_sealed_ = 0;
};

}  // namespace pawl::detail
