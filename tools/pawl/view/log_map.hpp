// Where in a journal the events of a time or a sequence lie, so that a reader begins close to them.
//
// Of sealed segments their indexes say it. For the events after those, which no index lists yet, a
// follower reads them once, and notes here every 256th and how many of each type there are.
//
// Any number of threads may use one map.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/types.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>
#include <vector>

namespace pawl::cli {

struct log_extent {
    sequence_number first = 0;
    sequence_number next = 0;  // exclusive
    // Of the events between; 0 without any.
    std::uint64_t min_ns = 0;
    std::uint64_t max_ns = 0;

    [[nodiscard]] std::uint64_t events() const noexcept { return next - first; }
};

// A cursor that has returned `first`, the event that was asked for; null if the log ends before.
struct log_place {
    cursor events;
    const event* first = nullptr;
    sequence_number sequence = 0;    // of `first`, or the end of the log
    std::optional<error> problem{};  // of the log before it
};

// Up to 256 events that follow each other and are in no sealed segment.
struct unsealed_events {
    sequence_number first = 0;
    log_position position{};  // of the first
    // The greatest time of the unsealed events before them; of the first ones their own.
    std::uint64_t max_before_ns = 0;
    std::vector<std::pair<std::uint16_t, std::uint32_t>> types{};  // how many of each
};

class log_map {
  public:
    log_map(std::filesystem::path directory, bool allow_network_file_system)
        : directory_{std::move(directory)}, allow_network_{allow_network_file_system} {}

    // What a follower has found out: the segments; an event, in log order; how much is durable.
    void update(journal_info journal);
    void add(const event& e);
    void set_durable(sequence_number durable);
    // The follower has lost its place, and begins again after the sealed segments.
    void forget_unsealed();

    [[nodiscard]] journal_info journal() const;
    [[nodiscard]] log_extent extent() const;
    // Of the segment that holds the last event, or would hold the first.
    [[nodiscard]] std::uint64_t last_ordinal() const;
    // Where a follower begins: the end of the sealed segments.
    [[nodiscard]] sequence_number unsealed_from() const;

    // The event with this sequence. Fails with not_found and pruned.
    [[nodiscard]] result<log_place> at_sequence(sequence_number sequence) const;
    // The first event of this time or a later one. If time stamps do not ascend, events after it
    // may have earlier ones. Reads up to 256 events.
    [[nodiscard]] result<log_place> at_time(std::uint64_t ns) const;

    // Whether every event of this time or a later one has been read and counted here; if time
    // stamps do not ascend, all but some.
    [[nodiscard]] bool has_counted(std::uint64_t since_ns) const;
    // Those events, as visit(const unsealed_events&).
    template <class Visitor>
    void for_each_counted(std::uint64_t since_ns, Visitor&& visit) const {
        const std::shared_lock lock{guard_};
        const auto begin = std::ranges::lower_bound(marks_, since_ns, {}, &mark::max_before_ns);
        std::for_each(begin, marks_.end(), visit);
    }

    [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }
    [[nodiscard]] bool allows_network_file_system() const noexcept { return allow_network_; }

  private:
    using mark = unsealed_events;

    [[nodiscard]] start start_at(std::vector<mark>::const_iterator end,
                                 sequence_number wanted) const;
    [[nodiscard]] start start_of(sequence_number sequence) const;
    [[nodiscard]] start start_before(std::uint64_t ns) const;
    [[nodiscard]] result<log_place> at_time_around_damage(std::uint64_t ns) const;
    [[nodiscard]] result<log_place> open(start from, auto&& is_wanted) const;

    std::filesystem::path directory_;
    bool allow_network_;
    mutable std::shared_mutex guard_;  // of everything below
    journal_info journal_;
    sequence_number sealed_end_ = 0;
    std::uint64_t sealed_min_ns_ = 0;
    std::uint64_t sealed_max_ns_ = 0;
    std::vector<mark> marks_;
    sequence_number next_ = 0;
    std::uint64_t last_ordinal_ = 0;  // of an event that the follower has read
    std::uint64_t min_ns_ = 0;        // of the events that the follower has read
    std::uint64_t max_ns_ = 0;
    sequence_number durable_ = 0;
};

}  // namespace pawl::cli
