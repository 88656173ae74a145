// The events of events.fbs and their type numbers in a journal. `filled` is the zero-copy view,
// `filled_data` the plain struct that the program fills in and then encodes.
#pragma once

#include <events_generated.h>

#include <pawl/codec/event_type.hpp>

#include <cstdint>

namespace exchange {

// All of the exchange's events are in schema version 1.
template <std::uint16_t Number>
struct first_version {
    static constexpr std::uint16_t type = Number;
    static constexpr std::uint16_t schema_version = 1;
};

}  // namespace exchange

template <>
struct pawl::event_traits<exchange::accepted> : exchange::first_version<1> {};
template <>
struct pawl::event_traits<exchange::filled> : exchange::first_version<2> {};
template <>
struct pawl::event_traits<exchange::cancelled> : exchange::first_version<3> {};
template <>
struct pawl::event_traits<exchange::replaced> : exchange::first_version<4> {};
template <>
struct pawl::event_traits<exchange::rejected> : exchange::first_version<5> {};
template <>
struct pawl::event_traits<exchange::lobster_message> : exchange::first_version<16> {};
