// Which constraints of a query restrict the scan of a journal, and how.
#pragma once

#include "sqlite/table/journal_source.hpp"
#include "sqlite/table/sqlite_api.hpp"
#include "sqlite/table/time_texts.hpp"

#include <pawl/sqlite/event_scan.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace pawl::detail {

// Chooses the constraints that restrict a scan, each as two letters of the text: its column and its
// comparison. Sets what SQLite asks for but the text.
[[nodiscard]] std::string chosen_constraints(sqlite3_index_info& query, bool has_type);

// What the chosen constraints leave of the journal, with the query's values. A value of another
// kind than its column restricts nothing.
class scan_plan {
  public:
    scan_plan(const journal_source& from, const time_texts& times) noexcept
        : from_{from}, times_{times} {}

    void add(char column, char comparison, sqlite3_value* value);

    [[nodiscard]] bool empty() const noexcept { return empty_ || low_ > high_; }
    [[nodiscard]] event_filter filter() const;

  private:
    void number(std::uint64_t& low, std::uint64_t& high, char comparison, sqlite3_value* value);
    void stream(std::string_view text);

    const journal_source& from_;
    const time_texts& times_;
    event_filter filter_{};
    std::uint64_t low_ = 0;
    std::uint64_t high_ = std::numeric_limits<std::uint64_t>::max();
    bool empty_ = false;
};

}  // namespace pawl::detail
