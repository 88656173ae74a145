#include "fill_notice.hpp"

#include "events.hpp"

#include <pawl/codec/decode.hpp>

namespace exchange {
namespace {

template <class Event>
pawl::result<fill_notice> read_as(const pawl::event& from, std::int64_t sign) {
    const auto read = pawl::decode<Event>(from);
    if (!read)
        return std::unexpected(read.error());
    const Event& e = **read;
    return fill_notice{.command = e.command(),
                       .instrument = e.instrument(),
                       .maker = e.maker(),
                       .taker = e.taker(),
                       .price = e.price(),
                       .quantity = sign * std::int64_t{e.quantity()}};
}

}  // namespace

pawl::result<fill_notice> notice_of(const pawl::event& from) {
    return pawl::is<filled>(from) ? read_as<filled>(from, 1) : read_as<busted>(from, -1);
}

}  // namespace exchange
