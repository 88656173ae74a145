#pragma once

#include "example_context.hpp"
#include "orders_bfbs.hpp"
#include "orders_generated.h"
#include "shop_bfbs.hpp"
#include "shop_generated.h"

#include <pawl/codec/catalog.hpp>
#include <pawl/codec/decoder.hpp>
#include <pawl/codec/dispatch.hpp>
#include <pawl/codec/encoder.hpp>
#include <pawl/codec/field_reader.hpp>
#include <pawl/codec/in_place.hpp>
#include <pawl/codec/json.hpp>
#include <pawl/codec/prepared_event.hpp>
#include <pawl/codec/registration.hpp>
#include <pawl/codec/schema.hpp>
#include <pawl/codec/schema_changes.hpp>
#include <pawl/codec/upcast.hpp>
#include <pawl/codec/upcast_scenario.hpp>

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

// A number and a version.
template <std::uint16_t Type, std::uint16_t Version>
struct numbered {
    static constexpr std::uint16_t type = Type;
    static constexpr std::uint16_t schema_version = Version;
};
template <>
struct pawl::event_traits<v1::paid> : numbered<4, 1> {};
template <>
struct pawl::event_traits<v2::paid> : numbered<4, 2> {};
template <>
struct pawl::event_traits<paid> : numbered<4, 3> {};
template <>
struct pawl::event_traits<fee> : numbered<5, 1> {};
template <>
struct pawl::event_traits<v1::heartbeat> : numbered<6, 1> {};

namespace examples {

extern pawl::cursor& events;
extern const pawl::schema& before;
extern const pawl::schema& after;

extern std::uint64_t id;
extern std::int64_t price;
extern std::uint32_t quantity;

}  // namespace examples
