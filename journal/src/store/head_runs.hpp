// The runs of stream heads that a log has: together they stand for its sealed segments from the
// first to one not far from the last.
#pragma once

#include "store/head_run.hpp"
#include "store/log_begin.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pawl::detail {

// The segment that runs end with.
struct runs_end {
    std::uint64_t ordinal = 0;
    std::uint64_t epoch = 0;
    sequence_number end_sequence = 0;
    std::uint64_t streams = 0;  // of the journal up to there
};

// Copies share the runs, which never change. The newest run that knows a stream decides.
class head_runs {
  public:
    head_runs() = default;
    // Each run continues the one before it; the oldest comes first.
    explicit head_runs(std::vector<std::shared_ptr<const head_run>> runs);

    [[nodiscard]] bool empty() const noexcept { return runs_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return runs_.size(); }
    [[nodiscard]] std::span<const std::shared_ptr<const head_run>> all() const noexcept {
        return runs_;
    }
    // None if there are no runs.
    [[nodiscard]] std::optional<runs_end> end() const noexcept;
    // Whether the runs stand for this segment.
    [[nodiscard]] bool cover(std::uint64_t ordinal) const noexcept {
        return !runs_.empty() && ordinal <= runs_.back()->header().ordinal;
    }
    [[nodiscard]] std::uint64_t names() const noexcept { return names_; }
    // Of all runs; a stream that is in several counts several times.
    [[nodiscard]] std::uint64_t entries() const noexcept { return entries_; }
    [[nodiscard]] bool has_bad() const noexcept;

    // Cost: one or two cache misses for each run, most of which are waited for together.
    [[nodiscard]] head_lookup find_stream(stream_id stream, stream_head& into) const noexcept;
    [[nodiscard]] head_lookup find_tag(tag_id tag, stream_head& into) const noexcept;
    [[nodiscard]] head_lookup find_name(std::string_view name, stream_id& into) const noexcept;

  private:
    std::vector<std::shared_ptr<const head_run>> runs_;
    std::uint64_t names_ = 0;
    std::uint64_t entries_ = 0;
};

// The runs in the directory that fit the log, whose segments these are. The log decides: the last
// run must end with one of the segments, with its epoch and its end, and each run before it must be
// the one that the next continues. A file that is wrong, and the runs that only it connects, are
// ignored.
[[nodiscard]] result<head_runs> open_runs(const directory_handle& directory, const journal_id& id,
                                          const log_begin& begin,
                                          std::span<const std::uint64_t> ordinals);

// The runs in the directory that continue each other from the first on, whatever the log holds.
// Fails if the first cannot be used, with not_found if there is none.
[[nodiscard]] result<head_runs> chain_runs(const directory_handle& directory, const journal_id& id);

// Removes the files of runs other than these: those that were merged, and those that cannot be
// used. The first run's file stays until another is renamed over it.
[[nodiscard]] result<void> remove_other_runs(const directory_handle& directory,
                                             const head_runs& keep);

}  // namespace pawl::detail
