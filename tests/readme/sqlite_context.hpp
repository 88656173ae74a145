#pragma once

#include "example_context.hpp"

#include <sqlite3.h>

#include <pawl/sqlite/event_scan.hpp>
#include <pawl/sqlite/journal_tables.hpp>
#include <pawl/sqlite/utc_time.hpp>

namespace examples {

extern const std::uint64_t opening;  // when a market opened, in nanoseconds since 1970

}  // namespace examples
