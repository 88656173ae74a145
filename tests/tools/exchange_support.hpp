// An exchange without a journal: events go through FlatBuffers and into the state, and are kept.
#pragma once

#include "engine.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace exchange::test {

using any_event =
    std::variant<accepted_data, filled_data, cancelled_data, replaced_data, rejected_data>;

// Encodes the event and lets the state take it from the encoded form.
template <class Data>
void evolve_encoded(exchange_state& s, const Data& event) {
    using table = typename Data::TableType;
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(table::Pack(builder, &event));
    engine::evolve(s, *flatbuffers::GetRoot<table>(builder.GetBufferPointer()));
}

inline void evolve_encoded(exchange_state& s, const any_event& event) {
    std::visit([&](const auto& e) { evolve_encoded(s, e); }, event);
}

// Decides one command, lets the state take its events and returns them.
inline std::vector<any_event> take(exchange_state& s, const command& c) {
    std::vector<any_event> events;
    engine::decide(c, s, [&](const auto& event) { events.emplace_back(event); });
    for (const any_event& event : events)
        evolve_encoded(s, event);
    return events;
}

inline command limit(side s, std::int64_t price, std::uint32_t quantity) {
    return {.asks = command::action::limit, .side = s, .price = price, .quantity = quantity};
}
inline command market(side s, std::uint32_t quantity) {
    return {.asks = command::action::market, .side = s, .quantity = quantity};
}
inline command cancel(order_id order) {
    return {.asks = command::action::cancel, .order = order};
}
inline command replace(order_id order, std::int64_t price, std::uint32_t quantity) {
    return {.asks = command::action::replace, .order = order, .price = price, .quantity = quantity};
}

// Ids and open quantities of a side in priority order.
inline std::vector<std::pair<order_id, std::uint32_t>> queue(const book& b, side s) {
    std::vector<std::pair<order_id, std::uint32_t>> orders;
    for (const order* o = b.best(s); o; o = b.next(*o))
        orders.emplace_back(o->id, o->quantity);
    return orders;
}

}  // namespace exchange::test
