// The complete segments of a journal, read a group at a time by a crew.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/sealed_segment.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/replay/detail/crew.hpp>
#include <pawl/replay/fold.hpp>
#include <pawl/replay/log_digest.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace pawl::detail {

// Returns the shard for a stream's events. Spreads neighbouring stream numbers.
[[nodiscard]] inline std::uint32_t shard_of(stream_id stream, std::uint32_t shards) noexcept {
    const std::uint64_t mixed = (stream ^ stream >> 32) * 0x9e3779b97f4a7c15;
    return static_cast<std::uint32_t>((mixed >> 32) * shards >> 32);
}

// One segment of a group, and the result of reading it.
class group_segment {
  public:
    void begin(std::uint64_t ordinal) noexcept;

    // Verifies the segment and calls visit(event) for each event; stops at the first failure. Keeps
    // the outcome.
    template <class Visitor>
    void read(const std::filesystem::path& directory, Visitor&& visit) {
        if (!open(directory))
            return;
        while (const event* from = segment_->next()) {
            if (auto visited = visit(*from); !visited) [[unlikely]] {
                failure_ = std::move(visited.error());
                return;
            }
            ++events_;
            point_ = from->point();
            digest_.add(*from);
        }
        close();
    }

    // Verifies the segment and records the places of each shard's events.
    void partition(const std::filesystem::path& directory, std::uint32_t shards);
    [[nodiscard]] std::span<const std::uint32_t> places(std::uint32_t shard) const noexcept {
        return places_[shard];
    }
    [[nodiscard]] event at(std::uint32_t place) const noexcept {
        return segment_->at(offset_of(place));
    }
    void prefetch(std::uint32_t place) const noexcept { segment_->prefetch(offset_of(place)); }

  private:
    friend class segment_groups;
    [[nodiscard]] static std::uint64_t offset_of(std::uint32_t place) noexcept {
        return std::uint64_t{place} * 8;
    }
    [[nodiscard]] bool open(const std::filesystem::path& directory);
    void close();

    std::uint64_t ordinal_ = 0;
    std::optional<sealed_segment> segment_;
    std::vector<std::vector<std::uint32_t>> places_;  // by shard, offsets in units of 8 bytes
    std::uint64_t events_ = 0;
    log_point point_{};
    log_digest digest_{};
    log_digest names_behind_{};  // of the names after the last event
    std::optional<error> failure_;
};

// Iterates over the sealed segments from the first one.
class segment_groups {
  public:
    using reader = std::function<void(group_segment&, std::size_t)>;

    // Fails like a fold that cannot start.
    [[nodiscard]] static result<segment_groups> open(const std::filesystem::path& directory,
                                                     const cursor_options& reading,
                                                     std::uint32_t threads,
                                                     std::uint64_t window_bytes);

    // Advances to the next group; false if there is none.
    [[nodiscard]] bool next();
    // The segments of the current group; after read(), only those that hold something.
    [[nodiscard]] std::span<group_segment> group() noexcept {
        return std::span{segments_}.first(in_group_);
    }
    // Calls read_one(segment, index) for each segment of the group, on all threads, and checks that
    // they follow each other. Returns the first failure in log order; group() then ends with the
    // segment that failed.
    [[nodiscard]] std::optional<error> read(const reader& read_one);

    [[nodiscard]] detail::crew& crew() noexcept { return crew_; }
    // After the groups read so far.
    [[nodiscard]] const fold_progress& progress() const noexcept { return progress_; }

  private:
    explicit segment_groups(std::uint32_t threads) : crew_{threads} {}

    detail::crew crew_;
    std::vector<group_segment> segments_;
    std::size_t in_group_ = 0;
    std::uint64_t next_ordinal_ = 0;
    bool at_end_ = false;
    std::optional<sealed_segment> before_;  // the last one of the previous group
    log_digest names_behind_{};  // of the names after the last event of all groups so far
    fold_progress progress_{};
};

}  // namespace pawl::detail
