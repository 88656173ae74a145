// Does today's program fold yesterday's journal into the same states?
//
//     auto marks = pawl::record_states<audited>("orders");  // in yesterday's program
//     if (!marks) return marks.error();
//     auto check = pawl::replay_check<audited>("orders", *marks);  // in today's
//     if (!check) return check.error();
//     use(check->same(), check->message());
//
// The fold names a digest of its state: equal for equal states, on every machine and in every
// version of the program. A recording holds that digest after every so many events. Where a check
// finds another, the states parted between this mark and the one before. Recorded again between the
// two, with a mark after each event (replay_recording::every = 1), the check names the event.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/fold.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl {

template <class Fold>
concept digests_state =
    folds_events<Fold> && requires(const Fold& fold, const typename Fold::state& state) {
        { fold.digest(state) } -> std::same_as<std::uint64_t>;
    };

// The digest of the state after the events below `sequence`, also inside a batch.
struct state_mark {
    sequence_number sequence = 0;
    std::uint64_t digest = 0;

    friend bool operator==(const state_mark&, const state_mark&) = default;
};

struct replay_recording {
    std::uint64_t every = 10'000;  // events between two marks, at least 1
    // Marks only from here to there; the events before are folded all the same.
    sequence_number from = 0;
    sequence_number to = std::numeric_limits<sequence_number>::max();
    visibility show = visibility::published;
};

// How two recordings of a journal compare.
struct replay_comparison {
    struct parting {
        state_mark recorded{};
        std::uint64_t digest = 0;  // of this program's state there
    };
    std::uint64_t marks = 0;              // that were the same
    std::optional<state_mark> last_same;  // empty: not even the first
    std::optional<parting> parted;

    [[nodiscard]] bool same() const noexcept { return !parted.has_value(); }
    // One line, which names the event if the marks are close enough.
    [[nodiscard]] std::string message() const;
};

// Folds the journal, with marks at the multiples of `every` and after the last event. Fails like
// fold, and with invalid_argument if `every` is 0. Costs a fold, and a digest for each mark.
template <digests_state Fold>
[[nodiscard]] result<std::vector<state_mark>> record_states(const std::filesystem::path& directory,
                                                            const Fold& by = {},
                                                            const replay_recording& how = {}) {
    return detail::guarded([&]() -> result<std::vector<state_mark>> {
        if (how.every == 0)
            return std::unexpected(
                error{.code = errc::invalid_argument, .reason = "replay_recording::every is 0"});
        auto events = detail::open_at_beginning(directory, {.show = how.show});
        if (!events)
            return std::unexpected(std::move(events.error()));
        auto state = by.initial();
        fold_progress progress;
        std::vector<state_mark> marks;
        for (sequence_number next = how.from / how.every * how.every;
             progress.point.next < how.to;) {
            next += std::min(how.every, std::numeric_limits<sequence_number>::max() - next);
            next = std::min(next, how.to);
            if (auto done = fold_until(*events, by, state, progress, next); !done)
                return std::unexpected(std::move(done.error()));
            const bool at_end = progress.point.next < next;
            const sequence_number last = marks.empty() ? 0 : marks.back().sequence;
            if (progress.point.next > last && progress.point.next >= how.from)
                marks.push_back({progress.point.next, by.digest(state)});
            if (at_end)
                break;
        }
        return marks;
    });
}

// Folds the journal up to the last mark, or the first that differs. Fails like fold, with
// invalid_argument if the marks do not ascend, and with not_found if the journal ends before one.
template <digests_state Fold>
[[nodiscard]] result<replay_comparison> replay_check(const std::filesystem::path& directory,
                                                     std::span<const state_mark> recorded,
                                                     const Fold& by = {},
                                                     visibility show = visibility::published) {
    return detail::guarded([&]() -> result<replay_comparison> {
        if (std::ranges::adjacent_find(recorded, std::ranges::greater_equal{},
                                       &state_mark::sequence) != recorded.end())
            return std::unexpected(error{.code = errc::invalid_argument,
                                         .reason = "replay_check: the marks do not ascend"});
        auto events = detail::open_at_beginning(directory, {.show = show});
        if (!events)
            return std::unexpected(std::move(events.error()));
        auto state = by.initial();
        fold_progress progress;
        replay_comparison comparison;
        for (const state_mark& mark : recorded) {
            if (auto done = fold_until(*events, by, state, progress, mark.sequence); !done)
                return std::unexpected(std::move(done.error()));
            if (progress.point.next < mark.sequence)
                return std::unexpected(error{.code = errc::not_found,
                                             .sequence = mark.sequence,
                                             .file = directory.string(),
                                             .detail = "the journal ends before a recorded state"});
            if (const std::uint64_t digest = by.digest(state); digest != mark.digest) {
                comparison.parted = {mark, digest};
                return comparison;
            }
            ++comparison.marks;
            comparison.last_same = mark;
        }
        return comparison;
    });
}

// The marks as text, a line for each, "SEQUENCE DIGEST" with 16 hexadecimal digits, and back.
// malformed names the line.
[[nodiscard]] std::string to_text(std::span<const state_mark> marks);
[[nodiscard]] result<std::vector<state_mark>> parse_state_marks(std::string_view text);

}  // namespace pawl
