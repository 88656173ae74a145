#include "engine.hpp"

#include <pawl/journal/tags.hpp>

#include <algorithm>
#include <expected>
#include <initializer_list>

namespace exchange {
namespace {

using enum command::action;
using verdict = std::expected<void, reason>;

// Encodes events into a decision, each into the stream of its instrument and with the tags of the
// accounts that it concerns.
class recorder {
  public:
    explicit recorder(pawl::decision& out) : out_{out} {}

    template <class Data>
    void operator()(const Data& event, std::initializer_list<account_id> accounts) {
        pawl::tag_set concerned;
        for (const account_id each : accounts)
            concerned.add(account_tag(each));
        out_.append(
            {.stream = pawl::stream_id{event.instrument} + 1, .tags = concerned},
            [&](flatbuffers::FlatBufferBuilder& to) { return Data::TableType::Pack(to, &event); });
    }

  private:
    pawl::decision& out_;
};

struct incoming {
    order_id command = 0;
    order_id id = 0;
    account_id account = 0;
    std::uint16_t instrument = 0;
    exchange::side side{};
    std::int64_t limit = 0;
    std::uint32_t quantity = 0;
};

// Calls fill(maker, quantity) for each fill of `taker` from the other side of the book, and returns
// its remaining quantity.
template <class Fill>
std::uint32_t match(const incoming& taker, const book& b, Fill&& fill) {
    std::uint32_t left = taker.quantity;
    const order* maker = b.best(opposite(taker.side));
    while (left > 0 && maker && !better(taker.side, maker->price, taker.limit)) {
        const std::uint32_t traded = std::min(left, maker->quantity);
        fill(*maker, traded);
        left -= traded;
        maker = b.next(*maker);
    }
    return left;
}

std::uint32_t trade_against(const incoming& taker, const book& b, const tape& before,
                            recorder& record) {
    std::uint64_t trade = before.last();
    return match(taker, b, [&](const order& maker, std::uint32_t quantity) {
        record(filled_data{.command = taker.command,
                           .maker = maker.id,
                           .taker = taker.id,
                           .instrument = taker.instrument,
                           .side = taker.side,
                           .price = maker.price,
                           .quantity = quantity,
                           .trade = ++trade,
                           .maker_account = maker.account,
                           .taker_account = taker.account},
               {maker.account, taker.account});
    });
}

// What an order can cost: its fills now, and if it may rest, what is left of it at its limit.
std::int64_t cost_of(const incoming& taker, const book& b, bool rests) {
    std::int64_t cost = 0;
    const std::uint32_t left = match(taker, b, [&](const order& maker, std::uint32_t quantity) {
        cost += maker.price * quantity;
    });
    return rests ? cost + taker.limit * left : cost;
}

verdict enter(const command& c, const exchange_state& s, recorder& record) {
    const bool at_market = c.asks == market;
    const std::int64_t worst = c.side == side::buy ? engine::highest_price : 1;
    const book& b = s.books[c.instrument];
    const incoming taker{.command = c.id,
                         .id = c.id,
                         .account = c.account,
                         .instrument = c.instrument,
                         .side = c.side,
                         .limit = at_market ? worst : c.price,
                         .quantity = c.quantity};
    if (s.accounts[c.account].exposure(c.side) + cost_of(taker, b, !at_market) > engine::credit)
        return std::unexpected(reason::over_credit);
    record(accepted_data{.command = c.id,
                         .instrument = c.instrument,
                         .side = c.side,
                         .market = at_market,
                         .price = taker.limit,
                         .quantity = c.quantity,
                         .account = c.account,
                         .expires_ns = at_market ? 0 : c.expires_ns},
           {c.account});
    const std::uint32_t left = trade_against(taker, b, s.tapes[c.instrument], record);
    if (at_market && left > 0)
        record(
            cancelled_data{
                .command = c.id, .order = c.id, .instrument = c.instrument, .quantity = left},
            {c.account});
    return {};
}

verdict change(const command& c, const order& resting, const exchange_state& s, recorder& record) {
    const book& b = s.books[c.instrument];
    const incoming taker{.command = c.id,
                         .id = resting.id,
                         .account = resting.account,
                         .instrument = c.instrument,
                         .side = resting.side,
                         .limit = c.price,
                         .quantity = c.quantity};
    const std::int64_t released = resting.price * resting.quantity;
    const std::int64_t added = cost_of(taker, b, true);
    if (added > released &&
        s.accounts[resting.account].exposure(resting.side) - released + added > engine::credit)
        return std::unexpected(reason::over_credit);
    record(replaced_data{.command = c.id,
                         .order = c.order,
                         .instrument = c.instrument,
                         .price = c.price,
                         .quantity = c.quantity},
           {resting.account});
    trade_against(taker, b, s.tapes[c.instrument], record);
    return {};
}

void take_out(const command& c, const order& resting, recorder& record) {
    record(cancelled_data{.command = c.id,
                          .order = c.order,
                          .instrument = c.instrument,
                          .quantity = resting.quantity},
           {resting.account});
}

// The order may have been filled or cancelled while its time came.
verdict expire_order(const command& c, const exchange_state& s, recorder& record) {
    if (c.instrument >= s.books.size())
        return std::unexpected(reason::unknown_instrument);
    const order* resting = s.books[c.instrument].find(c.order);
    if (!resting)
        return std::unexpected(reason::unknown_order);
    record(
        expired_data{.order = c.order, .instrument = c.instrument, .quantity = resting->quantity},
        {resting->account});
    return {};
}

verdict bust_trade(const command& c, const tape& trades, recorder& record) {
    const trade* wrong = trades.newest_of(c.order);
    if (!wrong)
        return std::unexpected(reason::unknown_trade);
    record(busted_data{.command = c.id,
                       .trade = wrong->number,
                       .maker = wrong->maker,
                       .taker = wrong->taker,
                       .instrument = c.instrument,
                       .side = wrong->side,
                       .price = wrong->price,
                       .quantity = wrong->quantity,
                       .maker_account = wrong->maker_account,
                       .taker_account = wrong->taker_account},
           {wrong->maker_account, wrong->taker_account});
    return {};
}

// Whether the command can be understood at all.
verdict check_form(const command& c, const exchange_state& s) {
    const bool enters = c.asks == limit || c.asks == market;
    const bool has_price = c.asks == limit || c.asks == replace;
    const bool has_quantity = enters || c.asks == replace;
    if (session_of(c.id) >= s.sessions.size())
        return std::unexpected(reason::unknown_session);
    if (number_of(c.id) <= s.sessions[session_of(c.id)])
        return std::unexpected(reason::out_of_sequence);
    if (c.instrument >= s.books.size())
        return std::unexpected(reason::unknown_instrument);
    if (enters && c.account >= s.accounts.size())
        return std::unexpected(reason::unknown_account);
    if (has_price && (c.price < 1 || c.price > engine::highest_price))
        return std::unexpected(reason::bad_price);
    if (has_quantity && (c.quantity < 1 || c.quantity > engine::largest_quantity))
        return std::unexpected(reason::bad_quantity);
    return {};
}

}  // namespace

verdict engine::decide(const command& c, const state& s, pawl::decision& out) {
    recorder record{out};
    if (c.asks == expire)
        return expire_order(c, s, record);
    if (auto sound = check_form(c, s); !sound)
        return sound;
    if (c.asks == limit || c.asks == market)
        return enter(c, s, record);
    if (c.asks == bust)
        return bust_trade(c, s.tapes[c.instrument], record);
    const order* resting = s.books[c.instrument].find(c.order);
    if (!resting)
        return std::unexpected(reason::unknown_order);
    if (c.asks == replace)
        return change(c, *resting, s, record);
    take_out(c, *resting, record);
    return {};
}

}  // namespace exchange
