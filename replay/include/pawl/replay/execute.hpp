// A command's way into the journal: decide, append, evolve.
//
//     pawl::decision events;
//     auto done = pawl::execute(account{}, withdraw{.account = 7, .amount = 5}, state, log,
//     events); if (done && done->events != 0) log.wait_durable(done->last.sequence);
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/decision.hpp>

#include <cstdint>
#include <utility>

namespace pawl {

struct execution {
    std::uint64_t events = 0;  // that the command led to
    receipt last{};            // of the last of them; empty where there are none
};

// Decides `command` against `state`, appends the events that follow as one batch, and evolves
// `state` by them. Whatever fails before the events are published (a refusal by `decide`, a
// conflict, back pressure) leaves journal and state as they were. `events` is cleared first and
// holds the decision afterwards; pass the same one each time.
template <class Decider, class Command>
    requires decides<Decider, Command>
[[nodiscard]] result<execution> execute(const Decider& by, const Command& command,
                                        typename Decider::state& state, writer& log,
                                        decision& events) {
    events.clear();
    if (auto decided = by.decide(command, std::as_const(state), events); !decided)
        return std::unexpected(std::move(decided.error()));
    if (events.empty())
        return execution{};
    auto last = events.append_to(log);
    if (!last)
        return std::unexpected(std::move(last.error()));
    for (std::size_t i = 0; i < events.size(); ++i)
        if (auto done = evolve(by, state, events.payload(i), payload_check::trust); !done)
            return std::unexpected(std::move(done.error()));
    return execution{.events = events.size(), .last = *last};
}

}  // namespace pawl
