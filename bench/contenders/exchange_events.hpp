// Events of tools/exchange, built from a number.
#pragma once

#include <events.hpp>
#include <flatbuffers/flatbuffers.h>

#include <cstdint>

namespace bench {

// What the fields of an event hold that has this number.
struct event_fields {
    std::int64_t price;
    std::uint32_t quantity;
    std::uint16_t instrument;
};
inline event_fields fields_number(std::uint64_t index) {
    return {.price = static_cast<std::int64_t>(10'000 + index % 997),
            .quantity = static_cast<std::uint32_t>(1 + index % 100),
            .instrument = static_cast<std::uint16_t>(index & 7)};
}

inline auto make_accepted(flatbuffers::FlatBufferBuilder& b, std::uint64_t i) {
    const auto [price, quantity, instrument] = fields_number(i);
    return exchange::Createaccepted(b, i, instrument, exchange::side::sell, false, price, quantity);
}
inline auto make_filled(flatbuffers::FlatBufferBuilder& b, std::uint64_t i) {
    const auto [price, quantity, instrument] = fields_number(i);
    return exchange::Createfilled(b, i, i / 2, i, instrument, exchange::side::sell, price,
                                  quantity);
}
inline auto make_cancelled(flatbuffers::FlatBufferBuilder& b, std::uint64_t i) {
    const auto [price, quantity, instrument] = fields_number(i);
    return exchange::Createcancelled(b, i, i / 2, instrument, quantity);
}
inline auto make_replaced(flatbuffers::FlatBufferBuilder& b, std::uint64_t i) {
    const auto [price, quantity, instrument] = fields_number(i);
    return exchange::Createreplaced(b, i, i / 2, instrument, price, quantity);
}

}  // namespace bench
