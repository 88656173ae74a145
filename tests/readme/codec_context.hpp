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
#include <pawl/codec/metadata_json.hpp>
#include <pawl/codec/prepared_event.hpp>
#include <pawl/codec/registration.hpp>
#include <pawl/codec/schema.hpp>
#include <pawl/codec/schema_changes.hpp>
#include <pawl/codec/upcast.hpp>
#include <pawl/codec/upcast_scenario.hpp>

#include <map>

template <>
struct pawl::event_traits<order_filled> : pawl::event_number<2> {};
template <>
struct pawl::event_traits<order_cancelled> : pawl::event_number<3> {};
template <>
struct pawl::event_traits<v1::paid> : pawl::event_number<4, 1> {};
template <>
struct pawl::event_traits<v2::paid> : pawl::event_number<4, 2> {};
template <>
struct pawl::event_traits<paid> : pawl::event_number<4, 3> {};
template <>
struct pawl::event_traits<fee> : pawl::event_number<5, 1> {};
template <>
struct pawl::event_traits<v1::heartbeat> : pawl::event_number<6, 1> {};

namespace examples {

extern pawl::cursor& events;
extern const pawl::schema& before;
extern const pawl::schema& after;

extern std::uint64_t id;
extern std::int64_t price;
extern std::uint32_t quantity;

}  // namespace examples
