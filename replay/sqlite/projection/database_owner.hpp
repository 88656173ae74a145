// The one process that writes a database of projections, and what only it may do.
#pragma once

#include "os/held_flock.hpp"
#include "sqlite/projection/sql_database.hpp"

#include <pawl/journal/error.hpp>

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

namespace pawl::detail {

// A lock on a file beside the database: in SQLite 3.7.0 to 3.51.2, two connections that write to a
// WAL and checkpoint it can damage the database.
class database_owner {
  public:
    // The database must exist. locked if another process, or this one, has it.
    [[nodiscard]] static result<database_owner> take(const std::filesystem::path& database);
    void release() noexcept { held_.release(); }

  private:
    explicit database_owner(held_flock held) noexcept : held_{std::move(held)} {}
    held_flock held_;
};

// Removes the builds of a projection at one version, and its consumer. not_found; busy if it is
// live. For the owner.
[[nodiscard]] result<void> drop_builds(const sql_database& in, std::string_view name,
                                       std::uint32_t version);

}  // namespace pawl::detail
