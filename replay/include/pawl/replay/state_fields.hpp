// A state as named values, for people: what a program prints of it, and where two of them differ.
//
//     for (const std::string& line : pawl::difference(described{}, before.state, after.state))
//         use(line);
#pragma once

#include <pawl/replay/decider.hpp>

#include <concepts>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace pawl {

// A list is for what comes in a number that is not always the same, a line for each.
struct state_field {
    std::string name;
    std::variant<std::uint64_t, std::int64_t, std::string, std::vector<std::string>> value;

    friend bool operator==(const state_field&, const state_field&) = default;
};

// A fold that describes its states. Equal states have equal fields.
template <class Fold>
concept describes_state =
    folds_events<Fold> && requires(const Fold& fold, const typename Fold::state& state) {
        { fold.describe(state) } -> std::same_as<std::vector<state_field>>;
    };

// A fold that knows better than by fields how two states differ, in lines.
template <class Fold>
concept compares_states =
    folds_events<Fold> && requires(const Fold& fold, const typename Fold::state& state) {
        { fold.difference(state, state) } -> std::same_as<std::vector<std::string>>;
    };

// "account 7: 40 -> 45", a line for each field that is not the same in both; of lists, a line for
// each entry that only one of them has.
[[nodiscard]] std::vector<std::string> difference(const std::vector<state_field>& before,
                                                  const std::vector<state_field>& after);

// How two states of a fold differ. Empty if they do not, and for a fold that neither compares nor
// describes its states. May throw std::bad_alloc.
template <folds_events Fold>
[[nodiscard]] std::vector<std::string> difference(const Fold& by,
                                                  const typename Fold::state& before,
                                                  const typename Fold::state& after) {
    if constexpr (compares_states<Fold>)
        return by.difference(before, after);
    else if constexpr (describes_state<Fold>)
        return difference(by.describe(before), by.describe(after));
    else
        return {};
}

}  // namespace pawl
