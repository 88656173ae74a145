// The shop's tables as events.
#pragma once

#include "shop_generated.h"

#include <pawl/codec/event_type.hpp>

#include <cstdint>

namespace pawl {

template <>
struct event_traits<shop::order_placed> {
    static constexpr std::uint16_t type = 1;
    static constexpr std::uint16_t schema_version = 1;
};
template <>
struct event_traits<shop::order_paid> {
    static constexpr std::uint16_t type = 2;
    static constexpr std::uint16_t schema_version = 3;
};
template <>
struct event_traits<shop::order_cancelled> {
    static constexpr std::uint16_t type = 3;
    static constexpr std::uint16_t schema_version = 1;
};
template <>
struct event_traits<shop::chain> {
    static constexpr std::uint16_t type = 4;
    static constexpr std::uint16_t schema_version = 1;
    static constexpr verify_limits limits{.max_bytes = 4096, .max_depth = 8, .max_tables = 16};
};

}  // namespace pawl

namespace shop {

using events = pawl::event_list<order_placed, order_paid, order_cancelled>;

}  // namespace shop
