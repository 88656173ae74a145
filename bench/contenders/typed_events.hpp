#pragma once

#include "orders_generated.h"

#include <flatbuffers/flatbuffers.h>

#include <pawl/codec/event_type.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

template <>
struct pawl::event_traits<bench::order_placed> : pawl::event_number<1> {};
template <>
struct pawl::event_traits<bench::filled> : pawl::event_number<2> {};

namespace bench {

// Builds the table with seven fields and a string, with values derived from `index`.
inline flatbuffers::Offset<order_placed> make_order(flatbuffers::FlatBufferBuilder& builder,
                                                    std::uint64_t index) {
    const auto reference = builder.CreateString("ALGO-7-0000042", 14);
    order_placedBuilder order(builder);
    order.add_client_reference(reference);
    order.add_order(index);
    order.add_account(index & 1023);
    order.add_price(static_cast<std::int64_t>(100'000 + (index & 255)));
    order.add_instrument(static_cast<std::uint32_t>(index & 63));
    order.add_quantity(static_cast<std::uint32_t>(100 + (index & 7)));
    order.add_flags(3);
    order.add_side(side::sell);
    return order.Finish();
}

inline fill_body fill_number(std::uint64_t index) {
    return {index, index + 1, static_cast<std::int64_t>(100'000 + (index & 255)),
            static_cast<std::uint32_t>(100 + (index & 7)), static_cast<std::uint32_t>(index & 63)};
}

// Builds the table that holds one struct.
inline flatbuffers::Offset<filled> make_fill(flatbuffers::FlatBufferBuilder& builder,
                                             std::uint64_t index) {
    const auto body = fill_number(index);
    filledBuilder fill(builder);
    fill.add_body(&body);
    return fill.Finish();
}

// Builds an event; the bytes are in the builder's memory until its next use.
template <class Make>
std::span<const std::byte> build(flatbuffers::FlatBufferBuilder& builder, Make&& make,
                                 std::uint64_t index) {
    builder.Clear();
    builder.Finish(make(builder, index));
    return {reinterpret_cast<const std::byte*>(builder.GetBufferPointer()), builder.GetSize()};
}

// Turns a finished fill into another one by overwriting its struct.
inline void patch_fill(filled& fill, std::uint64_t index) {
    *fill.mutable_body() = fill_number(index);
}

// Verifies that the bytes are a whole, valid event of that type, as a reader of untrusted bytes
// must.
template <class Table>
[[nodiscard]] bool verify_event(std::span<const std::byte> bytes) {
    flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                   bytes.size(), 16, 64);
    return verifier.VerifyBuffer<Table>(nullptr);
}

}  // namespace bench
