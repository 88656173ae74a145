// The ledger's tables as events, and how old ones become new ones.
#pragma once

#include "ledger_generated.h"

#include <pawl/codec/upcast.hpp>

#include <cstdint>

namespace pawl {

template <>
struct event_traits<ledger::v1::opened> : event_number<1, 1> {};
template <>
struct event_traits<ledger::account_opened> : event_number<1, 2> {};
template <>
struct event_traits<ledger::v1::moved> : event_number<2, 1> {};
template <>
struct event_traits<ledger::v2::booked> : event_number<2, 2> {};
template <>
struct event_traits<ledger::booked> : event_number<2, 3> {};
template <>
struct event_traits<ledger::fee> : event_number<3, 1> {};
template <>
struct event_traits<ledger::v1::audited> : event_number<4, 1> {};
template <>
struct event_traits<ledger::audited> : event_number<4, 2> {};
template <>
struct event_traits<ledger::v1::noise> : event_number<5, 1> {};
template <>
struct event_traits<ledger::v1::closed> : event_number<6, 1> {};

// Renamed, with a field that old events imply.
template <>
struct history<ledger::account_opened> {
    using versions = pawl::versions<ledger::v1::opened>;
    static void step(const ledger::v1::opened& was, upcast_to<ledger::account_opened> to) {
        to([&](auto& b) {
            const auto owner = was.owner() == nullptr ? 0 : b.CreateString(was.owner());
            const auto currency = b.CreateString("EUR");
            return ledger::Createaccount_opened(b, was.account(), owner, currency);
        });
    }
};

// Split, in another unit; then split again.
template <>
struct history<ledger::booked> {
    using versions = pawl::versions<ledger::v1::moved, ledger::v2::booked>;
    static result<void> step(const ledger::v1::moved& was, upcast_to<ledger::v2::booked> to) {
        if (was.euros() < 0)
            return fail(errc::malformed, "a negative sum was moved");
        const std::int64_t cents = std::int64_t{was.euros()} * 100;
        to([&](auto& b) { return ledger::v2::Createbooked(b, was.from(), -cents, 25); });
        to([&](auto& b) { return ledger::v2::Createbooked(b, was.to(), cents); });
        return {};
    }
    static void step(const ledger::v2::booked& was, upcast_to<ledger::booked, ledger::fee> to) {
        to([&](auto& b) { return ledger::Createbooked(b, was.account(), was.cents()); });
        if (was.fee() != 0)
            to([&](auto& b) { return ledger::Createfee(b, was.account(), was.fee()); });
    }
};

// What the first version said means nothing any more.
template <>
struct history<ledger::audited> {
    using versions = pawl::versions<ledger::v1::audited>;
    static void step(const ledger::v1::audited&, upcast_to<ledger::audited>) {}
};

// No longer written: one is nothing, the other something else.
template <>
struct history<ledger::v1::noise> {
    static void retire(const ledger::v1::noise&, upcast_to<>) {}
};
template <>
struct history<ledger::v1::closed> {
    static void retire(const ledger::v1::closed& was, upcast_to<ledger::booked> to) {
        to([&](auto& b) { return ledger::Createbooked(b, was.account(), 0); });
    }
};

}  // namespace pawl

namespace ledger {

using events = pawl::event_list<account_opened, booked, fee, audited, v1::noise, v1::closed>;

}  // namespace ledger
