// An exchange without a journal: events go through FlatBuffers and into the state, and are kept.
#pragma once

#include "engine.hpp"

#include <pawl/codec/dispatch.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/decision.hpp>

#include <cstdint>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace exchange::test {

using any_event =
    std::variant<accepted_data, filled_data, cancelled_data, replaced_data, rejected_data>;

// Encodes the event and lets the state take it from the encoded form.
template <class Data>
pawl::result<void> evolve_encoded(exchange_state& s, const Data& event) {
    pawl::decision encoded;
    encoded.append(
        {}, [&](flatbuffers::FlatBufferBuilder& to) { return Data::TableType::Pack(to, &event); });
    if (encoded.failure())
        return std::unexpected(*encoded.failure());
    return pawl::evolve(engine{}, s, encoded.payload(0));
}

struct keep {
    std::vector<any_event>& events;

    void operator()(const auto& view) const {
        typename std::remove_cvref_t<decltype(view)>::NativeTableType event;
        view.UnPackTo(&event);
        events.emplace_back(event);
    }
};

// Decides one command, lets the state take its events and returns them.
inline std::vector<any_event> take(exchange_state& s, const command& c) {
    static pawl::decision decided;
    decided.clear();
    engine::decide(c, s, decided);
    if (decided.failure())
        return {};
    std::vector<any_event> events;
    for (std::size_t n = 0; n < decided.size(); ++n) {
        const pawl::typed_payload event = decided.payload(n);
        if (!pawl::evolve(engine{}, s, event) ||
            !pawl::dispatch<engine::events>(event, keep{events}))
            return {};
    }
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
