// Removes the oldest segments of a journal.
#pragma once

#include "format/index_layout.hpp"
#include "format/segment_walk.hpp"
#include "os/directory_handle.hpp"
#include "store/retained.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/prune.hpp>
#include <pawl/journal/types.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pawl::detail {

// invalid_argument if the options set no limit.
[[nodiscard]] result<void> check_prune_options(const prune_options& options);

// One prune. The caller holds the writer's lock, and nothing else writes what is derived from
// sealed segments meanwhile. Only sealed segments are looked at, so the log may grow beside it.
class pruner {
  public:
    pruner(directory_handle directory, const journal_id& id, const prune_options& options)
        : directory_{std::move(directory)}, id_{id}, options_{options} {}

    [[nodiscard]] result<prune_report> run();

  private:
    struct candidate {
        std::uint64_t bytes = 0;  // written; a segment that was closed early holds few
        index_header index{};
    };

    [[nodiscard]] result<void> list_sealed();
    // Those of the options, and those of all consumers.
    [[nodiscard]] result<void> collect_holds();
    [[nodiscard]] bool may_go(const index_header& index, std::uint64_t bytes_left) const;
    [[nodiscard]] std::size_t decide();
    [[nodiscard]] result<void> gather(std::size_t going);
    [[nodiscard]] result<void> gather_heads(std::span<const std::uint64_t> ordinals);
    [[nodiscard]] result<void> gather_commands(std::span<const std::uint64_t> ordinals);
    [[nodiscard]] result<void> read_segment_at(const candidate& segment);
    void take(const frame_space& space, std::uint64_t offset, commit_word word);
    [[nodiscard]] result<void> write_beginning();
    [[nodiscard]] result<void> remove_segments();

    directory_handle directory_;
    journal_id id_;
    prune_options options_;
    std::vector<std::uint64_t> below_;  // segments before the beginning, left by an earlier prune
    std::vector<candidate> sealed_;     // from the beginning on, without a gap
    std::vector<prune_hold> holds_;
    retained_log kept_;
    prune_report report_;
};

}  // namespace pawl::detail
