// What a database holds of projections, without the program that they belong to.
//
//     auto all = pawl::list_projections("views.db");
//     if (!all) return all.error();
//     for (const pawl::projection_info& each : *all) use(each.name, each.next, each.stopped);
//
// The functions that change something fail with locked while a projector has the database.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/sqlite/projector.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

enum class projection_state : std::uint8_t {
    building,  // beside the live version, until it has caught up
    live,      // has the views
    old,       // was replaced, and is kept until it is dropped
};
[[nodiscard]] std::string_view to_string(projection_state state) noexcept;

struct projection_info {
    std::string name;
    std::uint32_t version = 0;
    projection_state state = projection_state::building;
    std::filesystem::path journal;  // its directory
    std::string consumer;           // that holds back prunes for it
    sequence_number next = 0;       // the first event that it has not passed yet
    std::uint64_t event_ns = 0;     // time stamp of the last that it has passed
    std::uint64_t applied = 0;      // events
    std::vector<parked_event> parked{};
    std::uint64_t skipped = 0;  // events
    std::string stopped;        // why it stopped last; empty while it moves on
};

// By name and then age. not_found if the database holds no projections; newer_format.
[[nodiscard]] result<std::vector<projection_info>> list_projections(
    const std::filesystem::path& database);

// Has the next projector that adds this projection retry the parked events of a key. Returns their
// number; not_found without any.
[[nodiscard]] result<std::uint64_t> ask_for_retry(const std::filesystem::path& database,
                                                  std::string_view name, std::string_view key);

// Leaves out the parked events of a key for good, on record. Returns their number; not_found
// without any.
[[nodiscard]] result<std::uint64_t> drop_parked_events(const std::filesystem::path& database,
                                                       std::string_view name, std::string_view key);

// Removes a version of a projection, its tables and its consumer; busy if it is live.
[[nodiscard]] result<void> drop_projection(const std::filesystem::path& database,
                                           std::string_view name, std::uint32_t version);

}  // namespace pawl
