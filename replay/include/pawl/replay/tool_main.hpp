// The commands that need a program's own folds: states, snapshots and replay checks for the person
// on call, by one call.
//
//     // int main(int argc, char** argv) {
//     return pawl::tool_main<audited>(argc, argv);
//
// - `state DIR`: the state at the end, from the newest snapshot and the events after it;
// - `as-of DIR PLACE`: the state at a sequence or a time;
// - `snapshot list DIR`: the snapshots of the journal;
// - `snapshot verify DIR`: this program's snapshots against what it makes of the events;
// - `replay-check DIR MARKS`: its states against those that another version recorded, or with
//   `--against PROGRAM` against what that version, built with tool_main too, makes now: it is run
//   to find the first event at which the states part, and how they differ there.
//
// Each prints a report on standard output, as JSON with --json, and errors on standard error. The
// exit status is 0, 1 for a failure or a finding, and 2 for wrong usage. The fold may have
//
// - `static constexpr std::string_view name`: of its snapshots (snapshot_options::name), and for
//   --fold if there are several folds; the first is the one meant without it;
// - `digest(state)` (replay_check.hpp), which is printed, and which snapshot verify and
//   replay-check need;
// - `describe(state)` (state_fields.hpp), which is printed.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/replay/as_of.hpp>
#include <pawl/replay/replay_check.hpp>
#include <pawl/replay/restore.hpp>
#include <pawl/replay/snapshot_check.hpp>
#include <pawl/replay/state_fields.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl {

// A command of tool_main, for a program that has commands of its own beside them.
struct tool_command {
    std::string_view name;  // the first word
    std::string_view description;
};
[[nodiscard]] std::span<const tool_command> tool_commands() noexcept;

namespace detail {

struct tool_state {
    fold_progress progress{};
    restore_report report{};
    std::vector<state_field> fields{};
    std::optional<std::uint64_t> digest{};
};

// One fold, without its types. What the fold does not offer is null.
struct tool_fold {
    std::string_view name;
    // After the events below the sequence, also inside a batch, or after all.
    result<tool_state> (*state)(const std::filesystem::path&, bool use_snapshots,
                                std::optional<sequence_number> before);
    result<tool_state> (*as_of)(const std::filesystem::path&, const as_of_place&);
    result<snapshot_check> (*check)(const std::filesystem::path&) = nullptr;
    result<std::vector<state_mark>> (*record)(const std::filesystem::path&,
                                              const replay_recording&) = nullptr;
    result<replay_comparison> (*compare)(const std::filesystem::path&,
                                         std::span<const state_mark>) = nullptr;
    result<replay_comparison> (*find)(const std::filesystem::path&, const state_recorder&,
                                      const replay_recording&) = nullptr;
};

[[nodiscard]] int run_tool(int argc, const char* const* argv,
                           std::span<const tool_fold> folds) noexcept;

template <class Fold>
[[nodiscard]] constexpr std::string_view fold_name() {
    if constexpr (requires { std::string_view{Fold::name}; })
        return Fold::name;
    else
        return "state";
}

template <class Fold>
[[nodiscard]] restore_options tool_options() {
    return {.snapshots = {.name = std::string{fold_name<Fold>()}}};
}

template <class Fold>
[[nodiscard]] result<tool_state> to_tool_state(result<restored<Fold>> from) {
    if (!from)
        return std::unexpected(std::move(from.error()));
    const Fold by{};
    tool_state made{.progress = from->progress, .report = std::move(from->report)};
    if constexpr (describes_state<Fold>)
        made.fields = by.describe(from->state);
    if constexpr (digests_state<Fold>)
        made.digest = by.digest(from->state);
    return made;
}

template <snapshots Fold>
[[nodiscard]] result<restored<Fold>> restore_before(const std::filesystem::path& directory,
                                                    sequence_number before,
                                                    restore_options options) {
    options.not_after = before;
    const Fold by{};
    auto begun = begin_restore(directory, by, options);
    if (!begun)
        return std::unexpected(std::move(begun.error()));
    auto& [state, progress, report] = begun->at;
    if (auto done = fold_until(begun->tail, by, state, progress, before); !done)
        return std::unexpected(std::move(done.error()));
    if (progress.point.next < before)
        return std::unexpected(not_reached(directory, before, progress.point.next));
    report.tail_events = progress.events;
    return std::move(begun->at);
}

template <snapshots Fold>
[[nodiscard]] tool_fold tool_fold_of() {
    tool_fold made{
        .name = fold_name<Fold>(),
        .state =
            [](const std::filesystem::path& directory, bool use_snapshots,
               std::optional<sequence_number> before) {
                restore_options options = tool_options<Fold>();
                options.use_snapshots = use_snapshots;
                if (before)
                    return to_tool_state<Fold>(restore_before<Fold>(directory, *before, options));
                return to_tool_state<Fold>(restore<Fold>(directory, {}, options));
            },
        .as_of =
            [](const std::filesystem::path& directory, const as_of_place& place) {
                return to_tool_state<Fold>(
                    pawl::as_of<Fold>(directory, place, {}, tool_options<Fold>()));
            }};
    if constexpr (digests_state<Fold>) {
        made.check = [](const std::filesystem::path& directory) {
            return check_snapshots<Fold>(directory, {}, tool_options<Fold>().snapshots);
        };
        made.record = [](const std::filesystem::path& directory, const replay_recording& how) {
            return record_states<Fold>(directory, {}, how);
        };
        made.compare = [](const std::filesystem::path& directory,
                          std::span<const state_mark> recorded) {
            return replay_check<Fold>(directory, recorded);
        };
        made.find = [](const std::filesystem::path& directory, const state_recorder& reference,
                       const replay_recording& how) {
            return replay_check<Fold>(directory, reference, {}, how);
        };
    }
    return made;
}

}  // namespace detail

// Runs the command that the arguments name, as of `main`. Prints; throws nothing unless a fold
// does.
template <snapshots... Folds>
    requires(sizeof...(Folds) > 0)
[[nodiscard]] int tool_main(int argc, const char* const* argv) {
    const std::array folds{detail::tool_fold_of<Folds>()...};
    return detail::run_tool(argc, argv, folds);
}

}  // namespace pawl
