#pragma once

#include "example_context.hpp"
#include "orders_generated.h"

#include <sqlite3.h>

#include <pawl/codec/utc_time.hpp>
#include <pawl/sqlite/event_scan.hpp>
#include <pawl/sqlite/journal_tables.hpp>
#include <pawl/sqlite/projection.hpp>
#include <pawl/sqlite/projection_audit.hpp>
#include <pawl/sqlite/projection_catalog.hpp>
#include <pawl/sqlite/projector.hpp>

#include <chrono>
#include <string_view>
#include <variant>

template <>
struct pawl::event_traits<deposited> : pawl::event_number<1> {};
template <>
struct pawl::event_traits<withdrawn> : pawl::event_number<2> {};

namespace examples {

bool serving();
extern pawl::projector& views;

extern const std::uint64_t opening;  // when a market opened, in nanoseconds since 1970

}  // namespace examples
