// The matching engine: it decides commands against the state, which gives events, and only events
// change the state. So folding the events again gives the same books.
#pragma once

#include "book.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/decision.hpp>
#include <pawl/replay/snapshot.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace exchange {

// A client's request. Limit and replace use `price`, cancel and replace use `order`, all but cancel
// use `quantity`.
struct command {
    enum class action : std::uint8_t { limit, market, cancel, replace };

    action asks{};
    std::uint16_t instrument = 0;
    exchange::side side{};
    order_id order = 0;
    std::int64_t price = 0;
    std::uint32_t quantity = 0;
};

struct exchange_state {
    std::vector<book> books;     // one per instrument
    std::uint64_t commands = 0;  // decided so far, which is the number of the last one
    std::uint64_t events = 0;
    std::uint64_t fills = 0;
    std::uint64_t filled_quantity = 0;
    std::uint64_t rejections = 0;
};

// A decider for Pawl. Each instrument's events are a stream of their own, numbered from 1, so that
// a reader can follow one book; a rejection changes no book and belongs to none.
struct engine {
    using state = exchange_state;
    using events = pawl::event_list<accepted, filled, cancelled, replaced, rejected>;

    static constexpr std::uint16_t instruments = 8;
    static constexpr std::int64_t highest_price = 1'000'000'000;
    static constexpr std::uint32_t largest_quantity = 1'000'000;

    [[nodiscard]] static state initial() { return {.books = std::vector<book>(instruments)}; }

    // Adds the events of the next command to `out`: at least one, all with the number s.commands +
    // 1.
    static void decide(const command& c, const state& s, pawl::decision& out);

    // Fail with malformed if the event does not fit the books; no journal of this program holds
    // such an event.
    [[nodiscard]] static pawl::result<void> evolve(state& s, const accepted& e);
    [[nodiscard]] static pawl::result<void> evolve(state& s, const filled& e);
    [[nodiscard]] static pawl::result<void> evolve(state& s, const cancelled& e);
    [[nodiscard]] static pawl::result<void> evolve(state& s, const replaced& e);
    [[nodiscard]] static pawl::result<void> evolve(state& s, const rejected& e);

    // Raise it with every change of the form in state_bytes.hpp, so that an older snapshot is not
    // misread.
    static constexpr std::uint32_t state_version = 1;
    [[nodiscard]] static pawl::result<void> save(const state& s, pawl::snapshot_sink& out);
    [[nodiscard]] static pawl::result<state> load(std::span<const std::byte> bytes);
};

}  // namespace exchange
