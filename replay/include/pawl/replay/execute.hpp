// Runs a command: decide, append, evolve.
//
//     account::state state;
//     pawl::decision events;
//     const withdraw command{.account = 7, .amount = 5};
//     auto done = pawl::execute(account{}, command, state, log, events);
//     if (!done) return done.error();  // the domain's refusal, or a pawl::error
//     if (done->events != 0) return log.wait_durable(done->last.sequence);
#pragma once

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/command_origin.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/decision.hpp>
#include <pawl/replay/detail/first_outcome.hpp>

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <utility>
#include <variant>

namespace pawl {

struct execution {
    std::uint64_t events = 0;  // appended for the command
    receipt first{};           // of the first of them; empty if there are none
    receipt last{};
    bool repeated = false;  // the command took effect before: these are its events of that time
};

namespace detail {

template <class Decider>
struct execution_of {
    using type = result<execution>;
};
template <may_refuse Decider>
struct execution_of<Decider> {
    using type = std::expected<execution, std::variant<typename Decider::refusal, error>>;
};

}  // namespace detail

// The result of execute. A decider that declares `refusal` fails with a variant of that type and
// pawl::error, so that a refusal of the domain is never mistaken for a failure of the journal; a
// decider without one fails with a pawl::error.
template <class Decider>
using execution_result = typename detail::execution_of<Decider>::type;

namespace detail {

// The answer to a command that took effect before; nothing if it did not.
template <class Decider>
[[nodiscard]] std::optional<execution_result<Decider>> first_outcome(
    const writer& log, const command_reference& command) {
    auto earlier = find_earlier(log, command);
    if (!earlier)
        return execution_result<Decider>{std::unexpect, std::move(earlier.error())};
    if (!*earlier)
        return std::nullopt;
    const earlier_events& found = **earlier;
    if constexpr (may_refuse<Decider>) {
        if constexpr (recordable_refusal<typename Decider::refusal>) {
            const std::span outcome{found.outcome.data(), found.outcome_bytes};
            if (const auto refused = refusal_in<typename Decider::refusal>(outcome))
                return execution_result<Decider>{std::unexpect, *refused};
        }
    }
    return execution{
        .events = found.events, .first = found.first, .last = found.last, .repeated = true};
}

template <class Decider>
using decided_by = std::expected<void, typename refusal_of<Decider>::type>;

template <class Decider, class Command>
[[nodiscard]] decided_by<Decider> ask(const Decider& by, const Command& command,
                                      const typename Decider::state& state, decision& events) {
    if constexpr (may_refuse<Decider>) {
        return by.decide(command, state, events);
    } else {
        by.decide(command, state, events);
        return {};
    }
}

// Records what `decide` refused, and returns it.
template <may_refuse Decider>
[[nodiscard]] execution_result<Decider> refuse(writer& log, typename Decider::refusal refused,
                                               std::span<const metadata_entry> entries,
                                               bool record) {
    if (record) {
        if constexpr (recordable_refusal<typename Decider::refusal>) {
            const auto outcome = outcome_of(refused);
            if (auto placed = log.append_handled(entries, outcome); !placed)
                return std::unexpected(std::move(placed.error()));
        } else {
            return std::unexpected(
                error{.code = errc::invalid_argument,
                      .reason = "command_origin::records_refusals: the decider's refusal cannot be "
                                "recorded"});
        }
    }
    return std::unexpected(std::move(refused));
}

// Appends what was decided: the events, or a refusal or a command without events if the origin says
// so. The state is then still to be evolved.
template <class Decider>
[[nodiscard]] execution_result<Decider> record(writer& log, decision& events,
                                               decided_by<Decider> decided,
                                               const command_origin& origin) {
    std::array<metadata_entry, command_origin::most_entries> room;
    const auto entries = origin.entries(room);
    if constexpr (may_refuse<Decider>) {
        if (!decided)
            return refuse<Decider>(log, std::move(decided.error()), entries,
                                   origin.records_refusals);
    }
    if (events.failure())
        return std::unexpected(copy_of(*events.failure()));
    if (events.empty()) {
        if (origin.records_refusals) {
            if (auto placed = log.append_handled(entries, {}); !placed)
                return std::unexpected(std::move(placed.error()));
        }
        return execution{};
    }
    auto last = events.append_to(log, entries);
    if (!last)
        return std::unexpected(std::move(last.error()));
    return execution{.events = events.size(), .first = events.receipt_of(0), .last = *last};
}

}  // namespace detail

// Decides `command` against `state`, appends the resulting events as one batch, and evolves `state`
// by them; an `evolve` that takes the event sees the header just written. A failure before the
// events are published (a refusal, a decision that failed, a conflict, back pressure) leaves
// journal and state unchanged. What else `decide` read, it names with decision::require. `events`
// is cleared first and holds the decision afterwards; pass the same object each time. Fails with
// out_of_memory if there is no room for the decision, or if `decide` or `evolve` threw
// std::bad_alloc; after `evolve` did, the events are in the journal.
//
// A command whose `origin` has an id takes effect once: if the writer remembers it, nothing is
// decided, and the result is the first outcome again (execution::repeated, or the refusal if
// command_origin::records_refusals was set). command_id_reused if the id belongs to a command with
// other bytes.
template <class Decider, class Command>
    requires decides<Decider, Command>
[[nodiscard]] execution_result<Decider> execute(const Decider& by, const Command& command,
                                                typename Decider::state& state, writer& log,
                                                decision& events,
                                                const command_origin& origin = {}) {
    return detail::guarded([&]() -> execution_result<Decider> {
        events.clear();
        if (origin.command) {
            if (auto known = detail::first_outcome<Decider>(log, *origin.command))
                return std::move(*known);
        }
        auto done =
            detail::record<Decider>(log, events, detail::ask(by, command, state, events), origin);
        if (!done || done->events == 0)
            return done;
        for (std::size_t i = 0; i < events.size(); ++i) {
            const event written = log.appended(events.receipt_of(i));
            if (auto evolved = evolve(by, state, written, payload_check::trust); !evolved)
                return std::unexpected(std::move(evolved.error()));
        }
        return done;
    });
}

}  // namespace pawl
