#include "read_models.hpp"

#include "book.hpp"

#include <string_view>

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

[[nodiscard]] pawl::result<void> end_order(pawl::projection_tables& to, std::uint64_t order,
                                           std::string_view state, const pawl::event& at) {
    return to.run("update {orders} set open = 0, state = ?2, changed_ns = ?3 where id = ?1", order,
                  state, at.timestamp_ns());
}

// Moves the pieces and the money of a trade, or moves them back.
template <class Event>
pawl::result<void> settle(pawl::projection_tables& to, const Event& e, bool back) {
    const bool taker_gets = (e.side() == side::buy) != back;
    for (const bool is_taker : {false, true}) {
        const std::int64_t pieces =
            is_taker == taker_gets ? std::int64_t{e.quantity()} : -std::int64_t{e.quantity()};
        auto moved = to.run(
            "insert into {positions} values (?1, ?2, ?3, ?4) on conflict do update set "
            "pieces = pieces + ?3, paid = paid + ?4",
            is_taker ? e.taker_account() : e.maker_account(), e.instrument(), pieces,
            -pieces * e.price());
        if (!moved)
            return moved;
    }
    return {};
}

}  // namespace

pawl::result<void> order_history::create(pawl::projection_tables& to) {
    return to.run(
        "create table {orders} (id integer primary key, instrument integer not null, "
        "side text not null, market integer not null, price integer not null, "
        "open integer not null check (open >= 0), filled integer not null, "
        "busted integer not null, account integer not null, state text not null, accepted_ns "
        "integer not null, changed_ns integer not null) strict");
}

pawl::result<void> order_history::apply(pawl::projection_tables& to, const accepted& e,
                                        const pawl::event& at) {
    return to.run("insert into {orders} values (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7, 'open', ?8, ?8)",
                  e.command(), e.instrument(), e.side() == side::buy ? "buy" : "sell", e.market(),
                  e.price(), e.quantity(), e.account(), at.timestamp_ns());
}

pawl::result<void> order_history::apply(pawl::projection_tables& to, const filled& e,
                                        const pawl::event& at) {
    if (auto maker = take_from(to, e.maker(), e, at); !maker)
        return maker;
    return take_from(to, e.taker(), e, at);
}

pawl::result<void> order_history::apply(pawl::projection_tables& to, const cancelled& e,
                                        const pawl::event& at) {
    return end_order(to, e.order(), "cancelled", at);
}

pawl::result<void> order_history::apply(pawl::projection_tables& to, const expired& e,
                                        const pawl::event& at) {
    return end_order(to, e.order(), "expired", at);
}

pawl::result<void> order_history::apply(pawl::projection_tables& to, const replaced& e,
                                        const pawl::event& at) {
    return to.run("update {orders} set price = ?2, open = ?3, changed_ns = ?4 where id = ?1",
                  e.order(), e.price(), e.quantity(), at.timestamp_ns());
}

pawl::result<void> order_history::apply(pawl::projection_tables& to, const busted& e,
                                        const pawl::event& at) {
    for (const order_id order : {e.maker(), e.taker()}) {
        auto moved = to.run(
            "update {orders} set filled = filled - ?2, busted = busted + ?2, changed_ns = ?3 "
            "where id = ?1",
            order, e.quantity(), at.timestamp_ns());
        if (!moved)
            return moved;
    }
    return {};
}

pawl::result<void> minute_candles::create(pawl::projection_tables& to) {
    auto made = to.run(
        "create table {trades} (instrument integer not null, minute integer not null, "
        "sequence integer not null, trade integer not null, price integer not null, "
        "quantity integer not null, primary key (instrument, minute, sequence)) "
        "strict, without rowid");
    if (!made)
        return made;
    return to.run(
        "create table {candles} (instrument integer not null, minute integer not null, "
        "open integer not null, high integer not null, low integer not null, "
        "close integer not null, volume integer not null, trades integer not null, "
        "primary key (instrument, minute)) strict, without rowid");
}

// `minute` is its first second since 1970.
pawl::result<void> minute_candles::apply(pawl::projection_tables& to, const filled& e,
                                         const pawl::event& at) {
    const std::uint64_t minute = at.timestamp_ns() / ns_per_s / 60 * 60;
    auto kept = to.run("insert into {trades} values (?1, ?2, ?3, ?4, ?5, ?6)", e.instrument(),
                       minute, at.sequence(), e.trade(), e.price(), e.quantity());
    if (!kept)
        return kept;
    return to.run(
        "insert into {candles} values (?1, ?2, ?3, ?3, ?3, ?3, ?4, 1) on conflict do update set "
        "high = max(high, ?3), low = min(low, ?3), close = ?3, volume = volume + ?4, "
        "trades = trades + 1",
        e.instrument(), minute, e.price(), e.quantity());
}

// Draws the trade's candle again, from the other trades of its minute. Only one of the newest
// trades can be busted, so that it is soon found from the end.
pawl::result<void> minute_candles::apply(pawl::projection_tables& to, const busted& e) {
    const auto minute = to.integer(
        "select minute from {trades} where instrument = ?1 and trade = ?2 "
        "order by minute desc, sequence desc limit 1",
        e.instrument(), e.trade());
    if (!minute)
        return std::unexpected(minute.error());
    if (!*minute)
        return pawl::fail(pawl::errc::malformed, "a trade was busted that is not known");
    if (auto gone =
            to.run("delete from {trades} where instrument = ?1 and minute = ?2 and trade = ?3",
                   e.instrument(), **minute, e.trade());
        !gone)
        return gone;
    if (auto gone = to.run("delete from {candles} where instrument = ?1 and minute = ?2",
                           e.instrument(), **minute);
        !gone)
        return gone;
    return to.run(
        "insert into {candles} select instrument, minute, "
        "(select price from {trades} where instrument = ?1 and minute = ?2 "
        "order by sequence limit 1), max(price), min(price), "
        "(select price from {trades} where instrument = ?1 and minute = ?2 "
        "order by sequence desc limit 1), sum(quantity), count(*) "
        "from {trades} where instrument = ?1 and minute = ?2 group by instrument, minute",
        e.instrument(), **minute);
}

pawl::result<void> account_positions::create(pawl::projection_tables& to) {
    return to.run(
        "create table {positions} (account integer not null, instrument integer not null, "
        "pieces integer not null, paid integer not null, primary key (account, instrument)) "
        "strict, without rowid");
}

pawl::result<void> account_positions::apply(pawl::projection_tables& to, const filled& e) {
    return settle(to, e, false);
}

pawl::result<void> account_positions::apply(pawl::projection_tables& to, const busted& e) {
    return settle(to, e, true);
}

}  // namespace exchange
