// An event's payload: if it decodes, every byte of it can be read.
#include "../../codec/shop_events.hpp"
#include "targets.hpp"

#include <pawl/codec/decode.hpp>

#include <array>
#include <cstdint>

namespace pawl::test {

namespace {

std::uint64_t read_through(const flatbuffers::String* text) {
    std::uint64_t sum = 0;
    if (text != nullptr)
        for (const char c : *text)
            sum += static_cast<unsigned char>(c);
    return sum;
}

std::uint64_t read_through(const shop::order_placed& order) {
    std::uint64_t sum =
        order.order() + order.customer() + order.venue() + read_through(order.note());
    if (order.lines() != nullptr)
        for (const shop::line* line : *order.lines())
            sum += line->item() + read_through(line->note()) +
                   (line->price() != nullptr ? line->price()->currency() : 0);
    if (order.tags() != nullptr)
        for (const flatbuffers::String* tag : *order.tags())
            sum += read_through(tag);
    return sum;
}

std::uint64_t read_through(const shop::order_cancelled& order) {
    return order.order() + read_through(order.reason());
}

std::uint64_t read_through(const shop::chain& first) {
    std::uint64_t sum = 0;
    std::uint64_t links = 0;
    for (const shop::chain* link = &first; link != nullptr; link = link->next()) {
        sum += static_cast<std::uint64_t>(link->value());
        demand(++links <= pawl::event_traits<shop::chain>::limits.max_depth);
    }
    return sum;
}

// Keeps the compiler from leaving out the reads.
void keep(std::uint64_t sum) {
    asm volatile("" : : "r"(sum) : "memory");
}

template <class Table>
void decode_as(std::span<const std::byte> bytes) {
    const typed_payload payload{event_traits<Table>::type, event_traits<Table>::schema_version,
                                bytes};
    if (const auto table = decode<Table>(payload))
        keep(read_through(**table));
}

}  // namespace

void fuzz_payload(fuzz_input input) {
    if (input.empty())
        return;
    // malloc gives the alignment that a payload has in a segment.
    const exact_copy copy{input.subspan(1)};
    switch (static_cast<unsigned char>(input[0]) % 3) {
        case 0:
            return decode_as<shop::order_placed>(copy.bytes());
        case 1:
            return decode_as<shop::order_cancelled>(copy.bytes());
        default:
            return decode_as<shop::chain>(copy.bytes());
    }
}

}  // namespace pawl::test
