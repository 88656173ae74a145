// A decider's test without a journal: given these events, when this command, then those events.
//
//     auto verdict = pawl::scenario<account>{}
//         .given([](auto& b) { return create_deposited(b, 10); })
//         .when(withdraw{.account = 7, .amount = 4})
//         .then(pawl::on(7, [](auto& b) { return create_withdrawn(b, 4); }));
//     INFO(verdict.why);
//     REQUIRE(verdict.holds);
//
// Knows no test framework: a verdict is a value.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/decision.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace pawl {

// Whether a scenario went as expected, and what was different.
struct [[nodiscard]] verdict {
    bool holds = true;
    std::string why{};
};

// An event of a certain stream.
template <event_build Build>
struct event_on {
    stream_id stream;
    Build build;
};
template <event_build Build>
[[nodiscard]] event_on<std::remove_cvref_t<Build>> on(stream_id stream, Build&& build) {
    return {stream, std::forward<Build>(build)};
}

namespace detail {

// What was decided against what should have been. Payloads are compared as bytes: a FlatBuffer that
// is built by the same calls in the same order has the same bytes.
class expectation {
  public:
    template <event_build Build>
    void add(const event_on<Build>& expected) {
        streams_.push_back(expected.stream);
        keep(events_.append({.stream = expected.stream}, expected.build));
    }
    template <event_build Build>
    void add(const Build& expected) {
        streams_.push_back(std::nullopt);
        keep(events_.append({}, expected));
    }
    [[nodiscard]] verdict compare(const result<void>& outcome, const decision& actual) const;

  private:
    void keep(result<void> added);

    decision events_;
    std::vector<std::optional<stream_id>> streams_;
    std::optional<error> broken_;  // an expected event that cannot be encoded
};

[[nodiscard]] verdict refused_as(errc expected, const result<void>& outcome);

}  // namespace detail

// Used by one thread. An event that is given, or that a command led to, is applied to the state at
// once; the expectations speak of the last command.
template <folds_events Decider>
class scenario {
  public:
    explicit scenario(Decider by = {}) : by_{std::move(by)}, state_{by_.initial()} {}

    // Events that happened before, in this order.
    template <class... Builds>
    scenario& given(const Builds&... builds) {
        (apply(builds), ...);
        return *this;
    }

    template <class Command>
        requires decides<Decider, Command>
    scenario& when(const Command& command) {
        decided_.clear();
        outcome_ = by_.decide(command, std::as_const(state_), decided_);
        if (outcome_)
            evolve_by(decided_);
        return *this;
    }

    // Exactly these events, each a callable that builds one, or on(stream, callable).
    template <class... Builds>
    verdict then(const Builds&... builds) const {
        if (broken_)
            return {false, *broken_};
        detail::expectation expected;
        (expected.add(builds), ...);
        return expected.compare(outcome_, decided_);
    }
    verdict then_nothing() const { return then(); }

    // The command was refused for this reason.
    verdict then_refused(errc why) const {
        return broken_ ? verdict{false, *broken_} : detail::refused_as(why, outcome_);
    }

    // Behind all events so far.
    [[nodiscard]] const typename Decider::state& state() const noexcept { return state_; }

  private:
    template <class Build>
    void apply(const Build& build) {
        decision one;
        result<void> added;
        if constexpr (event_build<Build>)
            added = one.append({}, build);
        else
            added = one.append({.stream = build.stream}, build.build);
        if (!added)
            broken_ = "a given event: " + added.error().message();
        evolve_by(one);
    }
    void evolve_by(const decision& events) {
        for (std::size_t i = 0; i < events.size(); ++i)
            if (auto done = evolve(by_, state_, events.payload(i)); !done)
                broken_ = "evolve: " + done.error().message();
    }

    Decider by_;
    typename Decider::state state_;
    decision decided_;
    result<void> outcome_{};
    std::optional<std::string> broken_;
};

}  // namespace pawl
