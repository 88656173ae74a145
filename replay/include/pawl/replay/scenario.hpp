// Tests a decider without a journal: given these events, when this command, then those events.
//
//     auto verdict = pawl::scenario<account>{}
//         .given([](auto& b) { return Createdeposited(b, 7, 10); })
//         .when(withdraw{.account = 7, .amount = 4})
//         .then(pawl::on(7, [](auto& b) { return Createwithdrawn(b, 7, 4); }));
//     require(verdict.holds, verdict.why);  // in the words of your test framework
//
// With the binary schema of the events, `pawl::scenario<account>{{}, orders_bfbs()}`, a verdict
// that does not hold shows both sides as JSON.
//
// It depends on no test framework: a verdict is a value. Running out of memory is one, too: the
// scenario does not hold.
#pragma once

#include <pawl/codec/registration.hpp>
#include <pawl/codec/verdict.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/decision.hpp>

#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace pawl {

// An event on a given stream.
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

// Compares a decision with the expected one. Payloads are compared as bytes: a FlatBuffer built by
// the same calls in the same order has the same bytes.
class expectation {
  public:
    template <event_build Build>
    void add(const event_on<Build>& expected) {
        streams_.push_back(expected.stream);
        events_.append({.stream = expected.stream}, expected.build);
    }
    template <event_build Build>
    void add(const Build& expected) {
        streams_.push_back(std::nullopt);
        events_.append({}, expected);
    }
    // If they differ, and `bfbs` is not empty, adds both to the reason; `tables` are those that the
    // decider knows.
    [[nodiscard]] verdict compare(const decision& actual, std::span<const event_shape> tables,
                                  std::span<const std::byte> bfbs) const;

  private:
    [[nodiscard]] verdict compare(const decision& actual) const;

    decision events_;
    std::vector<std::optional<stream_id>> streams_;
};

// The tables of a list, as far as their headers know their names.
template <class... Tables>
[[nodiscard]] std::vector<event_shape> tables_of(event_list<Tables...>) {
    std::vector<event_shape> tables;
    const auto add = [&tables]<class Table>() {
        if constexpr (requires { Table::Traits::fully_qualified_name; })
            tables.push_back(shape_of<Table>());
    };
    (add.template operator()<Tables>(), ...);
    return tables;
}

// Gives the events of a scenario the headers that a journal would: sequences from 0, versions per
// stream, timestamps equal to the sequence.
class imagined_log {
  public:
    // The event as a reader would see it, valid until the next call.
    [[nodiscard]] event write(const event_header& header, const typed_payload& payload);

  private:
    sequence_number next_ = 0;
    std::map<stream_id, stream_version> versions_;
    std::vector<std::uint64_t> frame_;
};

}  // namespace detail

// One thread uses it. Events that are given, or that a command produces, are applied to the state
// at once; the expectations are about the last command.
template <folds_events Decider>
class scenario {
  public:
    // `bfbs` is the binary schema of every table of the decider's list, or empty; its bytes must
    // outlive this object.
    explicit scenario(Decider by = {}, std::span<const std::byte> bfbs = {})
        : by_{std::move(by)}, bfbs_{bfbs}, state_{by_.initial()} {}

    // Events of the past, in this order.
    template <class... Builds>
    scenario& given(const Builds&... builds) {
        attempt([&] { (apply(builds), ...); });
        return *this;
    }

    template <class Command>
        requires decides<Decider, Command>
    scenario& when(const Command& command) {
        attempt([&] { decide(command); });
        return *this;
    }

    // The command leads to exactly these events, each a callable that builds one, or
    // on(stream, callable).
    template <class... Builds>
    verdict then(const Builds&... builds) const {
        return judge([&]() -> verdict {
            if (refused_)
                return {false, "the command was refused"};
            detail::expectation expected;
            (expected.add(builds), ...);
            return expected.compare(decided_, detail::tables_of(typename Decider::events{}), bfbs_);
        });
    }
    verdict then_nothing() const { return then(); }

    // The command is refused with this refusal.
    template <class Refusal>
        requires may_refuse<Decider> && std::equality_comparable<typename Decider::refusal> &&
                 std::convertible_to<const Refusal&, typename Decider::refusal>
    verdict then_refused(const Refusal& why) const {
        return judge([&]() -> verdict {
            if (!refused_)
                return {false, "the command was accepted"};
            if (!(*refused_ == static_cast<typename Decider::refusal>(why)))
                return {false, "the command was refused with another refusal"};
            return {};
        });
    }

    // After all events so far.
    [[nodiscard]] const typename Decider::state& state() const noexcept { return state_; }

  private:
    static constexpr const char* without_memory = "out of memory";  // short enough to need none

    template <class Act>
    void attempt(const Act& act) {
        if (!detail::guarded(act))
            broken_ = without_memory;
    }
    template <class Judge>
    [[nodiscard]] verdict judge(const Judge& by) const {
        auto judged = detail::guarded(
            [&]() -> result<verdict> { return broken_ ? verdict{false, *broken_} : by(); });
        return judged ? std::move(*judged) : verdict{false, without_memory};
    }

    template <class Command>
    void decide(const Command& command) {
        decided_.clear();
        refused_.reset();
        if constexpr (may_refuse<Decider>) {
            auto outcome = by_.decide(command, std::as_const(state_), decided_);
            if (!outcome)
                refused_ = std::move(outcome.error());
        } else {
            by_.decide(command, std::as_const(state_), decided_);
        }
        if (!refused_ && !decided_.failure())
            evolve_by(decided_);
    }
    template <class Build>
    void apply(const Build& build) {
        decision one;
        if constexpr (event_build<Build>)
            one.append({}, build);
        else
            one.append({.stream = build.stream}, build.build);
        if (one.failure())
            broken_ = "a given event: " + one.failure()->message();
        evolve_by(one);
    }
    void evolve_by(const decision& events) {
        for (std::size_t i = 0; i < events.size(); ++i)
            if (auto done = evolve(by_, state_, log_.write(events.header(i), events.payload(i)));
                !done)
                broken_ = "evolve: " + done.error().message();
    }

    Decider by_;
    std::span<const std::byte> bfbs_;
    typename Decider::state state_;
    decision decided_;
    detail::imagined_log log_;
    std::optional<typename detail::refusal_of<Decider>::type> refused_;
    std::optional<std::string> broken_;
};

}  // namespace pawl
