// An exchange without a journal: events go through FlatBuffers and into the state, and are kept.
#pragma once

#include "engine.hpp"
#include "order_flow.hpp"

#include <pawl/codec/dispatch.hpp>
#include <pawl/replay/decider.hpp>
#include <pawl/replay/decision.hpp>

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace exchange::test {

using any_event = std::variant<accepted_data, filled_data, cancelled_data, replaced_data,
                               rejected_data, busted_data, expired_data>;

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

struct taken {
    std::vector<any_event> events;
    std::optional<reason> refused;
};

// Decides one command and lets the state take its events. A command without an id is the next of
// session 0.
inline taken send(exchange_state& s, command c) {
    static pawl::decision decided;
    decided.clear();
    if (c.id == 0)
        c.id = s.sessions[0] + 1;
    if (const auto verdict = engine::decide(c, s, decided); !verdict)
        return {.refused = verdict.error()};
    if (decided.failure())
        return {};
    taken done;
    for (std::size_t n = 0; n < decided.size(); ++n) {
        const pawl::typed_payload event = decided.payload(n);
        if (!pawl::evolve(engine{}, s, event) ||
            !pawl::dispatch<engine::events>(event, keep{done.events}))
            return {};
    }
    return done;
}

// The events of a command; none if it was refused.
inline std::vector<any_event> take(exchange_state& s, const command& c) {
    return send(s, c).events;
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
inline command bust(order_id order) {
    return {.asks = command::action::bust, .order = order};
}
inline command by(account_id account, command c) {
    c.account = account;
    return c;
}

// Sends the first commands of one session.
inline void play(exchange_state& s, std::uint64_t seed, std::uint64_t commands) {
    const order_flow flow{seed};
    for (std::uint64_t number = 1; number <= commands; ++number)
        (void)send(s, flow.at(0, number));
}

// Ids and open quantities of a side in priority order.
inline std::vector<std::pair<order_id, std::uint32_t>> queue(const book& b, side s) {
    std::vector<std::pair<order_id, std::uint32_t>> orders;
    for (const order* o = b.best(s); o; o = b.next(*o))
        orders.emplace_back(o->id, o->quantity);
    return orders;
}

}  // namespace exchange::test
