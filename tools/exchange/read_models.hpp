// The exchange's read models: what a dashboard asks in SQL while the exchange runs.
#pragma once

#include "events.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/sqlite/projection.hpp>

#include <cstdint>
#include <string_view>

namespace exchange {

// One row for each order that was accepted: what it asked, what is still open, and how it ended.
// `filled` does not count trades that were busted, `busted` does.
struct order_history {
    static constexpr std::string_view name = "orders";
    static constexpr std::uint32_t version = 3;
    using events = pawl::event_list<accepted, filled, cancelled, replaced, busted, expired>;

    [[nodiscard]] static pawl::result<void> create(pawl::projection_tables& to);
    [[nodiscard]] static pawl::result<void> apply(pawl::projection_tables& to, const accepted& e,
                                                  const pawl::event& at);
    [[nodiscard]] static pawl::result<void> apply(pawl::projection_tables& to, const filled& e,
                                                  const pawl::event& at);
    [[nodiscard]] static pawl::result<void> apply(pawl::projection_tables& to, const cancelled& e,
                                                  const pawl::event& at);
    [[nodiscard]] static pawl::result<void> apply(pawl::projection_tables& to, const replaced& e,
                                                  const pawl::event& at);
    [[nodiscard]] static pawl::result<void> apply(pawl::projection_tables& to, const busted& e,
                                                  const pawl::event& at);
    [[nodiscard]] static pawl::result<void> apply(pawl::projection_tables& to, const expired& e,
                                                  const pawl::event& at);
};

// The trades that were not busted, and of these the first, highest, lowest and last price of each
// instrument in each minute, and what was traded.
struct minute_candles {
    static constexpr std::string_view name = "candles";
    static constexpr std::uint32_t version = 2;
    using events = pawl::event_list<filled, busted>;

    [[nodiscard]] static pawl::result<void> create(pawl::projection_tables& to);
    [[nodiscard]] static pawl::result<void> apply(pawl::projection_tables& to, const filled& e,
                                                  const pawl::event& at);
    [[nodiscard]] static pawl::result<void> apply(pawl::projection_tables& to, const busted& e);
};

// What each account holds of each instrument (negative: sold short), and what it was paid for that
// (negative: it paid), without the trades that were busted.
struct account_positions {
    static constexpr std::string_view name = "positions";
    static constexpr std::uint32_t version = 1;
    using events = pawl::event_list<filled, busted>;

    [[nodiscard]] static pawl::result<void> create(pawl::projection_tables& to);
    [[nodiscard]] static pawl::result<void> apply(pawl::projection_tables& to, const filled& e);
    [[nodiscard]] static pawl::result<void> apply(pawl::projection_tables& to, const busted& e);
};

}  // namespace exchange
