// What the database records of its projections, beside their tables.
//
// A *build* is one fold of a projection at one version, from event 0 on, with a number that is
// never used again. Its tables are called NAME#BUILD.table, and the views that readers use select
// from those of the live build. A build is `building` until it has caught up, then `live`, and
// `old` once another one has replaced it. Position, parked and skipped events of a build change in
// the transactions that change its tables.
#pragma once

#include "sqlite/projection/sql_database.hpp"

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/sqlite/projection_catalog.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl::detail {

struct projection_build {
    std::int64_t id = 0;
    std::string name;
    std::uint32_t version = 0;
    projection_state state = projection_state::building;
    std::string directory;  // of the journal
    std::string consumer;   // that holds back prunes for it
    journal_id journal{};   // in which the position was taken
    consumer_position position{};
    std::uint64_t applied = 0;
    std::string stopped;  // why; empty while it runs
};

struct parked_row {
    sequence_number sequence = 0;
    std::string key;
    std::string why;  // empty: it follows one that failed
    std::uint64_t content_hash = 0;
    consumer_position hold{};  // before the events that a retry needs
    bool retry = false;        // somebody asked for it
};

struct skipped_row {
    sequence_number sequence = 0;
    std::string why;
};

class projection_store {
  public:
    explicit projection_store(const sql_database& in) noexcept : database_{&in} {}

    // Creates the tables if there are none. newer_format if they are of a later program.
    [[nodiscard]] result<void> create() const;
    // The same check for a reader; not_found if the database holds no projections.
    [[nodiscard]] result<void> check() const;

    // By name and then build.
    [[nodiscard]] result<std::vector<projection_build>> builds() const;
    // Gives it a number.
    [[nodiscard]] result<void> add(projection_build& build) const;
    // Also forgets why it had stopped. locked if the position is not the one at `from`, because
    // another program has moved it.
    [[nodiscard]] result<void> move(const projection_build& to, sequence_number from) const;
    [[nodiscard]] result<void> record_stop(std::int64_t build, std::string_view why) const;

    [[nodiscard]] result<std::vector<parked_row>> parked(std::int64_t build) const;
    [[nodiscard]] result<void> park(std::int64_t build, const parked_row& row) const;
    [[nodiscard]] result<void> unpark(std::int64_t build, sequence_number sequence) const;
    [[nodiscard]] result<void> record_retry(std::int64_t build, sequence_number sequence,
                                            std::string_view why) const;
    // Records the parked events of a key as skipped; returns how many.
    [[nodiscard]] result<std::uint64_t> give_up(std::int64_t build, std::string_view key) const;
    // Whether the next program that follows the build shall retry them; returns how many.
    [[nodiscard]] result<std::uint64_t> ask_for_retry(std::int64_t build, std::string_view key,
                                                      bool wanted) const;
    [[nodiscard]] result<std::vector<skipped_row>> skipped(std::int64_t build) const;
    [[nodiscard]] result<void> skip(std::int64_t build, const skipped_row& row) const;

    // Makes the views of its projection select from this build.
    [[nodiscard]] result<void> make_live(const projection_build& build) const;
    // Removes its tables and all that is recorded of it.
    [[nodiscard]] result<void> drop(const projection_build& build) const;
    // The type ("table", "view") and name, without the prefix, of what a build consists of.
    [[nodiscard]] result<std::vector<std::pair<std::string, std::string>>> objects(
        const projection_build& build) const;
    // invalid_argument if a view that the build needs has a name that something else has.
    [[nodiscard]] result<void> check_view_names(const projection_build& build) const;

  private:
    const sql_database* database_;
};

}  // namespace pawl::detail
