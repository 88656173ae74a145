// Events of an exchange, built from a number.
#pragma once

#include "exchange_generated.h"

#include <flatbuffers/flatbuffers.h>

#include <pawl/codec/upcast.hpp>

#include <cstdint>

namespace bench {

template <std::uint16_t Type, std::uint16_t Version>
struct numbered {
    static constexpr std::uint16_t type = Type;
    static constexpr std::uint16_t schema_version = Version;
};

}  // namespace bench

namespace pawl {

template <>
struct event_traits<bench::exchange::accepted> : bench::numbered<1, 1> {};
template <>
struct event_traits<bench::exchange::traded> : bench::numbered<2, 1> {};
template <>
struct event_traits<bench::exchange::cancelled> : bench::numbered<3, 1> {};
template <>
struct event_traits<bench::exchange::v1::replaced> : bench::numbered<4, 1> {};
template <>
struct event_traits<bench::exchange::replaced> : bench::numbered<4, 2> {};

template <>
struct history<bench::exchange::replaced> {
    using versions = pawl::versions<bench::exchange::v1::replaced>;
    static void step(const bench::exchange::v1::replaced& was,
                     upcast_to<bench::exchange::replaced> to) {
        to([&](auto& b) {
            return bench::exchange::Createreplaced(b, was.command(), was.order(), was.instrument(),
                                                   was.ticks() * 5, was.quantity());
        });
    }
};

}  // namespace pawl

namespace bench::exchange {

inline std::int64_t price_number(std::uint64_t index) {
    return static_cast<std::int64_t>(10'000 + index % 997);
}
inline std::uint16_t instrument_number(std::uint64_t index) {
    return static_cast<std::uint16_t>(index & 7);
}
inline std::uint32_t quantity_number(std::uint64_t index) {
    return static_cast<std::uint32_t>(1 + index % 100);
}

inline auto make_accepted(flatbuffers::FlatBufferBuilder& b, std::uint64_t i) {
    return Createaccepted(b, i, instrument_number(i), taken_side::sell, false, price_number(i),
                          quantity_number(i));
}
inline auto make_traded(flatbuffers::FlatBufferBuilder& b, std::uint64_t i) {
    return Createtraded(b, i, i / 2, i, instrument_number(i), taken_side::sell, price_number(i),
                        quantity_number(i));
}
inline auto make_cancelled(flatbuffers::FlatBufferBuilder& b, std::uint64_t i) {
    return Createcancelled(b, i, i / 2, instrument_number(i), quantity_number(i));
}
inline auto make_replaced(flatbuffers::FlatBufferBuilder& b, std::uint64_t i) {
    return Createreplaced(b, i, i / 2, instrument_number(i), price_number(i), quantity_number(i));
}
inline auto make_old_replaced(flatbuffers::FlatBufferBuilder& b, std::uint64_t i) {
    return v1::Createreplaced(b, i, i / 2, instrument_number(i), price_number(i),
                              quantity_number(i));
}

}  // namespace bench::exchange
