#pragma once

#include "example_context.hpp"
#include "orders_generated.h"
#include "shop_generated.h"

#include <pawl/codec/dispatch.hpp>
#include <pawl/codec/encoder.hpp>
#include <pawl/codec/in_place.hpp>
#include <pawl/codec/prepared_event.hpp>

#include <map>

template <>
struct pawl::event_traits<order_filled> {
    static constexpr std::uint16_t type = 2;
    static constexpr std::uint16_t schema_version = 1;
};

template <>
struct pawl::event_traits<order_cancelled> {
    static constexpr std::uint16_t type = 3;
    static constexpr std::uint16_t schema_version = 1;
};

namespace examples {

extern std::uint64_t id;
extern std::int64_t price;
extern std::uint32_t quantity;

}  // namespace examples
