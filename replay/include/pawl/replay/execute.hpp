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
#include <pawl/replay/decider.hpp>
#include <pawl/replay/decision.hpp>

#include <cstdint>
#include <expected>
#include <utility>
#include <variant>

namespace pawl {

struct execution {
    std::uint64_t events = 0;  // appended for the command
    receipt last{};            // of the last of them; empty if there are none
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

// Decides `command` against `state`, appends the resulting events as one batch, and evolves `state`
// by them; an `evolve` that takes the event sees the header just written. A failure before the
// events are published (a refusal, a decision that failed, a conflict, back pressure) leaves
// journal and state unchanged. `events` is cleared first and holds the decision afterwards; pass
// the same object each time. Fails with out_of_memory if there is no room for the decision, or if
// `decide` or `evolve` threw std::bad_alloc; after `evolve` did, the events are in the journal.
template <class Decider, class Command>
    requires decides<Decider, Command>
[[nodiscard]] execution_result<Decider> execute(const Decider& by, const Command& command,
                                                typename Decider::state& state, writer& log,
                                                decision& events) {
    return detail::guarded([&]() -> execution_result<Decider> {
        events.clear();
        if constexpr (may_refuse<Decider>) {
            if (auto decided = by.decide(command, std::as_const(state), events); !decided)
                return std::unexpected(std::move(decided.error()));
        } else {
            by.decide(command, std::as_const(state), events);
        }
        if (events.failure())
            return std::unexpected(detail::copy_of(*events.failure()));
        if (events.empty())
            return execution{};
        auto last = events.append_to(log);
        if (!last)
            return std::unexpected(std::move(last.error()));
        for (std::size_t i = 0; i < events.size(); ++i) {
            const event written = log.appended(events.receipt_of(i));
            if (auto done = evolve(by, state, written, payload_check::trust); !done)
                return std::unexpected(std::move(done.error()));
        }
        return execution{.events = events.size(), .last = *last};
    });
}

}  // namespace pawl
