// An event in its newest shape and an old one, built from a number, and the step between them.
#pragma once

#include "contenders/exchange_events.hpp"
#include "upcast_generated.h"

#include <flatbuffers/flatbuffers.h>

#include <pawl/codec/upcast.hpp>

#include <cstdint>

namespace bench {

inline constexpr std::int64_t cents_in_tick = 5;

// What a step does, and what one would write without histories.
inline auto make_new(flatbuffers::FlatBufferBuilder& b, const v1::repriced& was) {
    return Createrepriced(b, was.command(), was.order(), was.instrument(),
                          was.ticks() * cents_in_tick, was.quantity());
}

inline auto make_repriced(flatbuffers::FlatBufferBuilder& b, std::uint64_t i) {
    const auto [price, quantity, instrument] = fields_number(i);
    return Createrepriced(b, i, i / 2, instrument, price, quantity);
}
inline auto make_old_repriced(flatbuffers::FlatBufferBuilder& b, std::uint64_t i) {
    const auto [price, quantity, instrument] = fields_number(i);
    return v1::Createrepriced(b, i, i / 2, instrument, price, quantity);
}

}  // namespace bench

namespace pawl {

template <>
struct event_traits<bench::v1::repriced> : event_number<1, 1> {};
template <>
struct event_traits<bench::repriced> : event_number<1, 2> {};

template <>
struct history<bench::repriced> {
    using versions = pawl::versions<bench::v1::repriced>;
    static void step(const bench::v1::repriced& was, upcast_to<bench::repriced> to) {
        to([&](auto& b) { return bench::make_new(b, was); });
    }
};

}  // namespace pawl
