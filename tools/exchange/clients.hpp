// Simulated clients at the exchange: sessions, each a thread that submits its commands.
#pragma once

#include "gateway.hpp"
#include "order_flow.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/replay/detail/histogram.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace exchange {

struct client_plan {
    std::uint64_t seed = 1;
    session_id sessions = 1;     // 1 to engine::sessions
    std::uint64_t commands = 0;  // of all sessions, with those of earlier runs
    // A client that comes back cannot know which of its last commands were answered, so it sends
    // that many again.
    std::uint64_t sent_again = 64;
    // Every second limit order of each session is good until then; 0: none.
    std::uint64_t day_ends_ns = 0;
    std::ptrdiff_t in_flight = 1024;  // commands of a session that wait for their answer
};

struct client_report {
    std::uint64_t sent_again = 0;
    std::uint64_t accepted = 0;
    std::uint64_t repeated = 0;  // the first outcome was given again
    std::array<std::uint64_t, static_cast<std::size_t>(reason::MAX) + 1> refused{};
    pawl::detail::histogram answer_ns;  // from submitting to the durable answer

    void add(const client_report& other) noexcept;
};

// Each session continues after its last command in the journal, and sends up to its share of the
// plan's commands. Returns once all are answered; fails with the first error of the journal.
[[nodiscard]] pawl::result<client_report> run_clients(gateway& at, const client_plan& plan);

}  // namespace exchange
