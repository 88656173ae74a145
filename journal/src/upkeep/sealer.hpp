// Seals complete, synced segments: writes their indexes and, from time to time, a run of stream
// heads.
#pragma once

#include "store/heads_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

namespace pawl::detail {

struct sealer_setup {
    directory_handle directory;
    journal_id id{};
    std::uint64_t expected_streams = 0;
    std::uint64_t first_ordinal = 0;  // of the segment that the writer begins with
    unwritten_heads unwritten{};  // when it was opened, including segments that are not sealed yet
    head_runs runs{};             // at that time
    std::function<void(head_runs)> publish{};  // called with new runs; not null
};

class sealer {
  public:
    explicit sealer(sealer_setup setup)
        : setup_{std::move(setup)}, runs_{setup_.runs}, unwritten_{setup_.unwritten} {}

    // Adds a segment that is complete and on stable storage. Any thread; ordinals must ascend.
    void enqueue(std::uint64_t ordinal);
    // How many were added so far. Any thread.
    [[nodiscard]] std::uint64_t enqueued();
    // Seals one segment; false if none is waiting. One thread at a time.
    [[nodiscard]] result<bool> step();
    // Writes a run of heads once an open would otherwise have to merge more entries than is quick,
    // and merges earlier runs into it (runs_to_merge); when `closing`, only small ones. So what an
    // open reads and what a close writes depend on what has changed and not on the number of
    // streams. Entries that an earlier writer left unwritten count. If a run was found damaged, its
    // file is removed and its heads are taken from the indexes again.
    [[nodiscard]] result<void> write_heads_if_due(bool closing);

  private:
    [[nodiscard]] std::optional<std::uint64_t> front();
    [[nodiscard]] result<void> load_heads_before(std::uint64_t ordinal);
    // Links the index to earlier segments, for which it loads the heads only if they are needed.
    [[nodiscard]] result<void> link(segment_index& index);
    [[nodiscard]] const log_heads* heads_at_end_before(std::uint64_t ordinal) const noexcept;
    [[nodiscard]] result<void> remove_bad_runs();

    sealer_setup setup_;
    std::mutex mutex_;
    std::deque<std::uint64_t> waiting_;
    std::uint64_t enqueued_ = 0;
    // The heads at the end of the newest sealed segment, loaded when first needed.
    std::optional<log_heads> heads_;
    head_runs runs_;  // the newest ones that were published
    unwritten_heads unwritten_{};
    std::uint64_t newest_sealed_ = 0;
};

}  // namespace pawl::detail
