// The runs of stream heads beneath the writer's tables: what the tables do not hold is there.
#pragma once

#include "os/directory_handle.hpp"
#include "store/head_runs.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pawl::detail {

// A background thread offers new runs, which always cover at least what those before them did; the
// writer's thread takes them over when it next looks beneath its tables, and hands back the old
// ones to be freed. Neither waits for the other.
class heads_beneath {
  public:
    heads_beneath(head_runs runs, directory_handle directory, const journal_id& id);
    ~heads_beneath();
    heads_beneath(const heads_beneath&) = delete;
    heads_beneath& operator=(const heads_beneath&) = delete;

    // The writer's thread. A lookup costs a few cache misses. If a run is damaged it reads the log
    // instead, which takes milliseconds, and is unreadable only if that fails, too. `into` has
    // version 0 if the answer is absent.
    [[nodiscard]] head_lookup find_stream(stream_id stream, stream_head& into) const noexcept;
    [[nodiscard]] head_lookup find_tag(tag_id tag, stream_head& into) const noexcept;
    // An error if it cannot be found out.
    [[nodiscard]] result<std::optional<stream_id>> find_name(std::string_view name) const;
    // Takes over runs that were offered.
    void take_offer() noexcept;
    // One more than the ordinal of the last segment that the runs stand for; 0 without any.
    [[nodiscard]] std::uint64_t covered() const noexcept { return covered_; }

    // The background.
    void offer(head_runs runs);

  private:
    head_runs* current_;
    std::uint64_t covered_ = 0;
    directory_handle directory_;
    journal_id id_{};
    std::atomic<head_runs*> offered_{nullptr};
    std::atomic<head_runs*> retired_{nullptr};
};

}  // namespace pawl::detail
