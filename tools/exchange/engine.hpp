// The matching engine: it decides commands against the state, which gives events, and only events
// change the state. So folding the events again gives the same books.
#pragma once

#include "book.hpp"
#include "command.hpp"
#include "tape.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/decision.hpp>
#include <pawl/replay/snapshot.hpp>
#include <pawl/replay/state_fields.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <vector>

namespace exchange {

// What an account has traded, and what it may still have to pay or deliver, over all instruments.
// Money is in ticks.
struct account {
    std::int64_t balance = 0;            // sold minus bought
    std::array<std::int64_t, 2> open{};  // its open orders of each side, at their limits

    // What it owes if all its open orders of a side are filled.
    [[nodiscard]] std::int64_t exposure(side s) const noexcept {
        return s == side::buy ? open[0] - balance : open[1] + balance;
    }
};

struct exchange_state {
    std::vector<book> books;              // one per instrument
    std::vector<tape> tapes;              // the same
    std::vector<account> accounts;        // by number
    std::vector<std::uint64_t> sessions;  // the number of each one's last command with events
    std::uint64_t events = 0;
    std::uint64_t fills = 0;            // trades, with those that were busted
    std::uint64_t filled_quantity = 0;  // of those that were not
    std::uint64_t busts = 0;

    // The sessions' last numbers together: how many commands clients have sent, without those that
    // were refused since.
    [[nodiscard]] std::uint64_t commands() const noexcept;
};

// The tag of the events that concern an account, among them every trade that it has a side of.
[[nodiscard]] constexpr pawl::tag_id account_tag(account_id account) noexcept {
    return pawl::tag_id{1000} + account;
}

// A decider for Pawl. Each instrument's events are a stream of their own, numbered from 1, so that
// a reader can follow one book. The accounts' credit spans the instruments: one state, and so one
// thread that decides, holds them all.
struct engine {
    using state = exchange_state;
    using events =
        pawl::event_list<accepted, filled, cancelled, replaced, rejected, busted, expired>;
    using refusal = reason;

    static constexpr std::uint16_t instruments = 8;
    static constexpr session_id sessions = 8;
    static constexpr account_id accounts = 32;
    static constexpr std::int64_t highest_price = 1'000'000'000;
    static constexpr std::uint32_t largest_quantity = 1'000'000;
    // The most that an account may owe if its open orders of either side are filled. A bust can
    // take an account beyond it, which then can only reduce what it owes.
    static constexpr std::int64_t credit = 1'000'000'000;

    [[nodiscard]] static state initial();

    // Adds the events of a command to `out`. Within a session numbers must ascend: that refuses a
    // command that was sent again after the journal has forgotten its id.
    [[nodiscard]] static std::expected<void, refusal> decide(const command& c, const state& s,
                                                             pawl::decision& out);

    // Fail with malformed if the event does not fit the books; no journal of this program holds
    // such an event.
    [[nodiscard]] static pawl::result<void> evolve(state& s, const accepted& e);
    [[nodiscard]] static pawl::result<void> evolve(state& s, const filled& e);
    [[nodiscard]] static pawl::result<void> evolve(state& s, const cancelled& e);
    [[nodiscard]] static pawl::result<void> evolve(state& s, const replaced& e);
    [[nodiscard]] static pawl::result<void> evolve(state& s, const rejected& e);
    [[nodiscard]] static pawl::result<void> evolve(state& s, const busted& e);
    [[nodiscard]] static pawl::result<void> evolve(state& s, const expired& e);

    // For pawl::tool_main: the state's fingerprint, and what a person asks of it.
    [[nodiscard]] static std::uint64_t digest(const state& s);
    [[nodiscard]] static std::vector<pawl::state_field> describe(const state& s);

    // Raise it with every change of the form in state_bytes.hpp, so that an older snapshot is not
    // misread.
    static constexpr std::uint32_t state_version = 2;
    [[nodiscard]] static pawl::result<void> save(const state& s, pawl::snapshot_sink& out);
    [[nodiscard]] static pawl::result<state> load(std::span<const std::byte> bytes);
};

}  // namespace exchange
