#include "read_models.hpp"

namespace exchange {

namespace {

constexpr std::uint64_t ns_per_s = 1'000'000'000;

[[nodiscard]] pawl::result<void> take_from(pawl::projection_tables& to, std::uint64_t order,
                                           const filled& e, const pawl::event& at) {
    return to.run(
        "update {orders} set open = open - ?2, filled = filled + ?2, changed_ns = ?3, "
        "state = iif(open = ?2, 'filled', state) where id = ?1",
        order, e.quantity(), at.timestamp_ns());
}

}  // namespace

pawl::result<void> order_history::create(pawl::projection_tables& to) {
    return to.run(
        "create table {orders} (id integer primary key, instrument integer not null, "
        "side text not null, market integer not null, price integer not null, "
        "open integer not null check (open >= 0), filled integer not null, "
        "state text not null, accepted_ns integer not null, changed_ns integer not null) strict");
}

pawl::result<void> order_history::apply(pawl::projection_tables& to, const accepted& e,
                                        const pawl::event& at) {
    return to.run("insert into {orders} values (?1, ?2, ?3, ?4, ?5, ?6, 0, 'open', ?7, ?7)",
                  e.command(), e.instrument(), e.side() == side::buy ? "buy" : "sell", e.market(),
                  e.price(), e.quantity(), at.timestamp_ns());
}

pawl::result<void> order_history::apply(pawl::projection_tables& to, const filled& e,
                                        const pawl::event& at) {
    if (auto maker = take_from(to, e.maker(), e, at); !maker)
        return maker;
    return take_from(to, e.taker(), e, at);
}

pawl::result<void> order_history::apply(pawl::projection_tables& to, const cancelled& e,
                                        const pawl::event& at) {
    return to.run(
        "update {orders} set open = 0, state = 'cancelled', changed_ns = ?2 where id = ?1",
        e.order(), at.timestamp_ns());
}

pawl::result<void> order_history::apply(pawl::projection_tables& to, const replaced& e,
                                        const pawl::event& at) {
    return to.run("update {orders} set price = ?2, open = ?3, changed_ns = ?4 where id = ?1",
                  e.order(), e.price(), e.quantity(), at.timestamp_ns());
}

pawl::result<void> minute_candles::create(pawl::projection_tables& to) {
    return to.run(
        "create table {candles} (instrument integer not null, minute integer not null, "
        "open integer not null, high integer not null, low integer not null, "
        "close integer not null, volume integer not null, trades integer not null, "
        "primary key (instrument, minute)) strict, without rowid");
}

// `minute` is its first second since 1970.
pawl::result<void> minute_candles::apply(pawl::projection_tables& to, const filled& e,
                                         const pawl::event& at) {
    return to.run(
        "insert into {candles} values (?1, ?2, ?3, ?3, ?3, ?3, ?4, 1) on conflict do update set "
        "high = max(high, ?3), low = min(low, ?3), close = ?3, volume = volume + ?4, "
        "trades = trades + 1",
        e.instrument(), at.timestamp_ns() / ns_per_s / 60 * 60, e.price(), e.quantity());
}

}  // namespace exchange
