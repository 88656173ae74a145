#include "engine.hpp"

#include <algorithm>
#include <utility>

namespace exchange {
namespace {

using enum command::action;

// Encodes events into a decision, each into the stream of its instrument.
class recorder {
  public:
    explicit recorder(pawl::decision& out) : out_{out} {}

    template <class Data>
    void operator()(const Data& event) {
        add(pawl::stream_id{event.instrument} + 1, event);
    }
    void operator()(const rejected_data& event) { add(pawl::no_stream_id, event); }

  private:
    template <class Data>
    void add(pawl::stream_id stream, const Data& event) {
        out_.append({.stream = stream}, [&](flatbuffers::FlatBufferBuilder& to) {
            return Data::TableType::Pack(to, &event);
        });
    }

    pawl::decision& out_;
};

struct incoming {
    std::uint64_t command = 0;
    order_id id = 0;
    std::uint16_t instrument = 0;
    exchange::side side{};
    std::int64_t limit = 0;
    std::uint32_t quantity = 0;
};

// Fills `taker` from the other side of the book, and returns its remaining quantity.
std::uint32_t match(const incoming& taker, const book& b, recorder& record) {
    std::uint32_t left = taker.quantity;
    const order* maker = b.best(opposite(taker.side));
    while (left > 0 && maker && !better(taker.side, maker->price, taker.limit)) {
        const std::uint32_t traded = std::min(left, maker->quantity);
        record(filled_data{.command = taker.command,
                           .maker = maker->id,
                           .taker = taker.id,
                           .instrument = taker.instrument,
                           .side = taker.side,
                           .price = maker->price,
                           .quantity = traded});
        left -= traded;
        maker = b.next(*maker);
    }
    return left;
}

void enter(const command& c, const book& b, std::uint64_t number, recorder& record) {
    const std::int64_t worst = c.side == side::buy ? engine::highest_price : 1;
    const incoming taker{.command = number,
                         .id = number,
                         .instrument = c.instrument,
                         .side = c.side,
                         .limit = c.asks == market ? worst : c.price,
                         .quantity = c.quantity};
    record(accepted_data{.command = number,
                         .instrument = c.instrument,
                         .side = c.side,
                         .market = c.asks == market,
                         .price = taker.limit,
                         .quantity = c.quantity});
    const std::uint32_t left = match(taker, b, record);
    if (c.asks == market && left > 0)
        record(cancelled_data{
            .command = number, .order = number, .instrument = c.instrument, .quantity = left});
}

void change(const command& c, const book& b, std::uint64_t number, recorder& record) {
    const order& resting = *b.find(c.order);
    if (c.asks == cancel)
        return record(cancelled_data{.command = number,
                                     .order = c.order,
                                     .instrument = c.instrument,
                                     .quantity = resting.quantity});
    record(replaced_data{.command = number,
                         .order = c.order,
                         .instrument = c.instrument,
                         .price = c.price,
                         .quantity = c.quantity});
    match({.command = number,
           .id = c.order,
           .instrument = c.instrument,
           .side = resting.side,
           .limit = c.price,
           .quantity = c.quantity},
          b, record);
}

void decide_one(const command& c, const exchange_state& s, recorder& record) {
    const std::uint64_t number = s.commands + 1;
    const auto reject = [&](reason why) {
        record(rejected_data{.command = number, .instrument = c.instrument, .why = why});
    };
    const bool enters = c.asks == limit || c.asks == market;
    if (c.instrument >= s.books.size())
        return reject(reason::unknown_instrument);
    const book& b = s.books[c.instrument];
    if (!enters && !b.find(c.order))
        return reject(reason::unknown_order);
    if ((c.asks == limit || c.asks == replace) && (c.price < 1 || c.price > engine::highest_price))
        return reject(reason::bad_price);
    if (c.asks != cancel && (c.quantity < 1 || c.quantity > engine::largest_quantity))
        return reject(reason::bad_quantity);
    enters ? enter(c, b, number, record) : change(c, b, number, record);
}

}  // namespace

void engine::decide(const command& c, const state& s, pawl::decision& out) {
    recorder record{out};
    decide_one(c, s, record);
}

}  // namespace exchange
