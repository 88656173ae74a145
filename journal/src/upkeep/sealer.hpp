// Seals complete, synced segments: writes their indexes and, now and then, the file of stream
// heads.
#pragma once

#include "store/heads_file.hpp"

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
    std::uint32_t mode = 0600;
    std::uint64_t expected_streams = 0;
};

class sealer {
  public:
    explicit sealer(sealer_setup setup) : setup_{std::move(setup)} {}

    // Adds a segment that is complete and on stable storage. Any thread; ordinals must ascend.
    void enqueue(std::uint64_t ordinal);
    // How many were added so far. Any thread.
    [[nodiscard]] std::uint64_t enqueued();
    // Seals one segment; false if none is waiting. One thread at a time.
    [[nodiscard]] result<bool> step();
    // Writes the heads if the segments sealed since the last time hold eight times as many bytes as
    // the file, or if `now` is true.
    [[nodiscard]] result<void> write_heads_if_due(bool now);

  private:
    [[nodiscard]] std::optional<std::uint64_t> front();
    [[nodiscard]] result<void> load_heads_before(std::uint64_t ordinal);
    [[nodiscard]] const stream_heads* heads_at_end_before(std::uint64_t ordinal) const noexcept;

    sealer_setup setup_;
    std::mutex mutex_;
    std::deque<std::uint64_t> waiting_;
    std::uint64_t enqueued_ = 0;
    // The background's own copy of the heads, loaded when first needed.
    std::optional<stream_heads> heads_;
    std::uint64_t bytes_since_heads_ = 0;
};

}  // namespace pawl::detail
