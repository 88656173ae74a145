// Three versions of a program that reads the exchange's events, and how old events become new ones.
#pragma once

#include <exchange_versions_generated.h>

#include <pawl/codec/upcast.hpp>
#include <pawl/replay/decider.hpp>

#include <cstdint>
#include <map>
#include <utility>

namespace exchange {

inline constexpr std::int64_t cents_in_tick = 5;

}  // namespace exchange

namespace pawl {

template <>
struct event_traits<exchange::v1::accepted> : event_number<1, 1> {};
template <>
struct event_traits<exchange::v1::filled> : event_number<2, 1> {};
template <>
struct event_traits<exchange::v1::cancelled> : event_number<3, 1> {};
template <>
struct event_traits<exchange::v1::replaced> : event_number<4, 1> {};
template <>
struct event_traits<exchange::v1::rejected> : event_number<5, 1> {};

template <>
struct event_traits<exchange::v2::order_accepted> : event_number<1, 1> {};
template <>
struct event_traits<exchange::v2::repriced> : event_number<4, 2> {};
template <>
struct event_traits<exchange::v2::rejected> : event_number<5, 1> {};
template <>
struct event_traits<exchange::v2::resized> : event_number<6, 1> {};

template <>
struct event_traits<exchange::v3::order_accepted> : event_number<1, 2> {};
template <>
struct event_traits<exchange::v3::filled> : event_number<2, 2> {};
template <>
struct event_traits<exchange::v3::repriced> : event_number<4, 3> {};

template <>
struct history<exchange::v2::repriced> {
    using versions = pawl::versions<exchange::v1::replaced>;
    static void step(const exchange::v1::replaced& was,
                     upcast_to<exchange::v2::repriced, exchange::v2::resized> to) {
        to([&](auto& b) {
            return exchange::v2::Createrepriced(b, was.command(), was.order(), was.instrument(),
                                                was.price());
        });
        to([&](auto& b) {
            return exchange::v2::Createresized(b, was.command(), was.order(), was.instrument(),
                                               was.quantity());
        });
    }
};

template <>
struct history<exchange::v3::order_accepted> {
    using versions = pawl::versions<exchange::v2::order_accepted>;
    static void step(const exchange::v2::order_accepted& was,
                     upcast_to<exchange::v3::order_accepted> to) {
        to([&](auto& b) {
            return exchange::v3::Createorder_accepted(
                b, was.command(), was.instrument(), was.side(), was.at_market(),
                was.price() * exchange::cents_in_tick, was.quantity());
        });
    }
};
template <>
struct history<exchange::v3::filled> {
    using versions = pawl::versions<exchange::v1::filled>;
    static void step(const exchange::v1::filled& was, upcast_to<exchange::v3::filled> to) {
        to([&](auto& b) {
            return exchange::v3::Createfilled(
                b, was.command(), was.maker(), was.taker(), was.instrument(), was.side(),
                was.price() * exchange::cents_in_tick, was.quantity());
        });
    }
};
template <>
struct history<exchange::v3::repriced> {
    using versions = pawl::versions<exchange::v1::replaced, exchange::v2::repriced>;
    static void step(const exchange::v1::replaced& was,
                     upcast_to<exchange::v2::repriced, exchange::v2::resized> to) {
        history<exchange::v2::repriced>::step(was, to);
    }
    static void step(const exchange::v2::repriced& was, upcast_to<exchange::v3::repriced> to) {
        to([&](auto& b) {
            return exchange::v3::Createrepriced(b, was.command(), was.order(), was.instrument(),
                                                was.price() * exchange::cents_in_tick);
        });
    }
};
template <>
struct history<exchange::v1::rejected> {
    static void retire(const exchange::v1::rejected&, upcast_to<>) {}
};

}  // namespace pawl

namespace exchange {

// The orders that rest, and what was traded; prices in the unit of the program's version.
struct orders_and_trades {
    struct order {
        std::uint16_t instrument = 0;
        std::int64_t price = 0;
        std::uint32_t open = 0;
        friend bool operator==(const order&, const order&) = default;
    };
    std::map<std::uint64_t, order> orders;
    std::map<std::uint16_t, std::int64_t> turnover;  // by instrument
    std::uint64_t rejected = 0;
    friend bool operator==(const orders_and_trades&, const orders_and_trades&) = default;

    void accept(std::uint64_t command, std::uint16_t instrument, std::int64_t price,
                std::uint32_t quantity) {
        orders[command] = {instrument, price, quantity};
    }
    void fill(std::uint64_t maker, std::uint64_t taker, std::uint16_t instrument,
              std::int64_t price, std::uint32_t quantity) {
        reduce(maker, quantity);
        reduce(taker, quantity);
        turnover[instrument] += price * quantity;
    }
    void reduce(std::uint64_t id, std::uint32_t quantity) {
        if ((orders[id].open -= quantity) == 0)
            orders.erase(id);
    }
};

// One evolve for each shape: a program's event list selects those that it needs.
struct every_shape {
    using state = orders_and_trades;
    static state initial() { return {}; }

    static void evolve(state& s, const v1::accepted& e) {
        s.accept(e.command(), e.instrument(), e.price(), e.quantity());
    }
    static void evolve(state& s, const v2::order_accepted& e) {
        s.accept(e.command(), e.instrument(), e.price(), e.quantity());
    }
    static void evolve(state& s, const v3::order_accepted& e) {
        s.accept(e.command(), e.instrument(), e.cents(), e.quantity());
    }
    static void evolve(state& s, const v1::filled& e) {
        s.fill(e.maker(), e.taker(), e.instrument(), e.price(), e.quantity());
    }
    static void evolve(state& s, const v3::filled& e) {
        s.fill(e.maker(), e.taker(), e.instrument(), e.cents(), e.quantity());
    }
    static void evolve(state& s, const v1::cancelled& e) { s.reduce(e.order(), e.quantity()); }
    static void evolve(state& s, const v1::replaced& e) {
        s.orders[e.order()].price = e.price();
        s.orders[e.order()].open = e.quantity();
    }
    static void evolve(state& s, const v2::repriced& e) { s.orders[e.order()].price = e.price(); }
    static void evolve(state& s, const v3::repriced& e) { s.orders[e.order()].price = e.cents(); }
    static void evolve(state& s, const v2::resized& e) { s.orders[e.order()].open = e.quantity(); }
    static void evolve(state& s, const v2::rejected& e) { s.rejected += e.command() != 0 ? 1 : 0; }

    // States of different streams: they have no order and no instrument in common.
    static void merge(state& into, state&& from) {
        into.orders.merge(from.orders);
        into.turnover.merge(from.turnover);
        into.rejected += from.rejected;
    }
};

// What was traded, for each instrument: states of any parts of the journal can be merged.
struct trades {
    using state = std::map<std::uint16_t, std::int64_t>;
    static state initial() { return {}; }
    static void evolve(state& s, const v1::filled& e) {
        s[e.instrument()] += e.price() * e.quantity();
    }
    static void evolve(state& s, const v3::filled& e) {
        s[e.instrument()] += e.cents() * e.quantity();
    }
    template <class Table>
    static void evolve(state&, const Table&) {}
    static void merge(state& into, state&& from) {
        for (const auto& [instrument, sum] : from)
            into[instrument] += sum;
    }
};

template <class Fold, class Events>
struct program : Fold {
    using events = Events;
};

// What v2::rejected was called by version 1; its shape is the same.
using version_1 =
    pawl::event_list<v1::accepted, v1::filled, v1::cancelled, v1::replaced, v2::rejected>;
using version_2 = pawl::event_list<v2::order_accepted, v1::filled, v1::cancelled, v2::repriced,
                                   v2::resized, v2::rejected>;
using version_3 = pawl::event_list<v3::order_accepted, v3::filled, v1::cancelled, v3::repriced,
                                   v2::resized, v1::rejected>;

}  // namespace exchange
