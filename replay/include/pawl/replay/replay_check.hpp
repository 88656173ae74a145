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
// finds another, the states parted between this mark and the one before. If the other version can
// be asked to record again, in this program or in another, the check asks until it has the event:
//
//     auto found = pawl::replay_check<audited>("orders", [](const pawl::replay_recording& how) {
//         return pawl::record_states<yesterday>("orders", {}, how);
//     });
//     if (!found) return found.error();
//     if (!found->same()) use(found->message());  // "the states part at event 437: ..."
//
// state_difference then shows how the two states differ after that event.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/fold.hpp>
#include <pawl/replay/state_fields.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
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

// Records the other version's states as asked: record_states of another fold, or what another
// program recorded. Asked again, it must give the same states.
using state_recorder = std::function<result<std::vector<state_mark>>(const replay_recording&)>;

namespace detail {
using recorded_check = std::function<result<replay_comparison>(std::span<const state_mark>)>;
[[nodiscard]] result<replay_comparison> find_parting(const state_recorder& reference,
                                                     const recorded_check& check,
                                                     replay_recording how);
}  // namespace detail

// The same with a recording that is made now. Where the states part, both are recorded again
// between the last mark that was the same and the first that was not, with 64 times as many marks,
// until it is one event. Costs a fold of both up to there each time: with a mark every 10,000
// events, three in all. Fails like record_states and `reference`, and with diverged if that gives
// other states when it is asked again.
template <digests_state Fold>
[[nodiscard]] result<replay_comparison> replay_check(const std::filesystem::path& directory,
                                                     const state_recorder& reference,
                                                     const Fold& by = {},
                                                     const replay_recording& how = {}) {
    return detail::guarded([&] {
        return detail::find_parting(
            reference,
            [&](std::span<const state_mark> recorded) {
                return replay_check(directory, recorded, by, how.show);
            },
            how);
    });
}

// How the states of two folds differ after the events below `sequence`, also inside a batch: from
// the reference's to the other's. Costs a fold of both up to there, and fails like fold.
template <describes_state Fold, describes_state Reference>
[[nodiscard]] result<std::vector<std::string>> state_difference(
    const std::filesystem::path& directory, sequence_number sequence, const Fold& by,
    const Reference& reference, visibility show = visibility::published) {
    return detail::guarded([&]() -> result<std::vector<std::string>> {
        const auto fields_of =
            [&](const describes_state auto& fold) -> result<std::vector<state_field>> {
            auto events = detail::open_at_beginning(directory, {.show = show});
            if (!events)
                return std::unexpected(std::move(events.error()));
            auto state = fold.initial();
            fold_progress progress;
            if (auto done = fold_until(*events, fold, state, progress, sequence); !done)
                return std::unexpected(std::move(done.error()));
            return fold.describe(state);
        };
        const auto before = fields_of(reference);
        if (!before)
            return std::unexpected(before.error());
        const auto after = fields_of(by);
        if (!after)
            return std::unexpected(after.error());
        return difference(*before, *after);
    });
}

// The marks as text, a line for each, "SEQUENCE DIGEST" with 16 hexadecimal digits, and back.
// malformed names the line.
[[nodiscard]] std::string to_text(std::span<const state_mark> marks);
[[nodiscard]] result<std::vector<state_mark>> parse_state_marks(std::string_view text);

}  // namespace pawl
