// The events of events.fbs and their type numbers in a journal. `filled` is the zero-copy view,
// `filled_data` the plain struct that the program fills in and then encodes.
#pragma once

#include <events_generated.h>

#include <pawl/codec/event_type.hpp>

template <>
struct pawl::event_traits<exchange::accepted> : pawl::event_number<1> {};
template <>
struct pawl::event_traits<exchange::filled> : pawl::event_number<2> {};
template <>
struct pawl::event_traits<exchange::cancelled> : pawl::event_number<3> {};
template <>
struct pawl::event_traits<exchange::replaced> : pawl::event_number<4> {};
template <>
struct pawl::event_traits<exchange::rejected> : pawl::event_number<5> {};
template <>
struct pawl::event_traits<exchange::busted> : pawl::event_number<6> {};
template <>
struct pawl::event_traits<exchange::expired> : pawl::event_number<7> {};
template <>
struct pawl::event_traits<exchange::lobster_message> : pawl::event_number<16> {};
