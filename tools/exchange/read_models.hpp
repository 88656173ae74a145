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
struct order_history {
    static constexpr std::string_view name = "orders";
    static constexpr std::uint32_t version = 1;
    using events = pawl::event_list<accepted, filled, cancelled, replaced>;

    [[nodiscard]] static pawl::result<void> create(pawl::projection_tables& to);
    [[nodiscard]] static pawl::result<void> apply(pawl::projection_tables& to, const accepted& e,
                                                  const pawl::event& at);
    [[nodiscard]] static pawl::result<void> apply(pawl::projection_tables& to, const filled& e,
                                                  const pawl::event& at);
    [[nodiscard]] static pawl::result<void> apply(pawl::projection_tables& to, const cancelled& e,
                                                  const pawl::event& at);
    [[nodiscard]] static pawl::result<void> apply(pawl::projection_tables& to, const replaced& e,
                                                  const pawl::event& at);
};

// The first, highest, lowest and last price of each instrument in each minute, and what was traded.
struct minute_candles {
    static constexpr std::string_view name = "candles";
    static constexpr std::uint32_t version = 1;
    using events = pawl::event_list<filled>;

    [[nodiscard]] static pawl::result<void> create(pawl::projection_tables& to);
    [[nodiscard]] static pawl::result<void> apply(pawl::projection_tables& to, const filled& e,
                                                  const pawl::event& at);
};

}  // namespace exchange
