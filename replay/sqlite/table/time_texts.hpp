// How the texts of times compare in one connection: the collation `pawl_time`.
#pragma once

#include "sqlite/table/sqlite_api.hpp"

#include <pawl/journal/error.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace pawl::detail {

// One for a connection, which its tables and the collation share: what restricts a scan must be
// what the collation finds. Used by one thread at a time, like the connection.
class time_texts {
  public:
    // The connection's; the first call for it registers the collation. Fails with invalid_argument
    // if SQLite refuses it.
    [[nodiscard]] static result<std::shared_ptr<time_texts>> of(sqlite3& connection);

    // The start of the day that a time without a date belongs to. Until it is set, such a text is
    // no time.
    [[nodiscard]] bool has_day() const noexcept { return day_.has_value(); }
    void set_day(std::uint64_t start_ns) noexcept { day_ = start_ns; }

    // Nanoseconds since the Unix epoch; nothing if the text is no time.
    [[nodiscard]] std::optional<std::uint64_t> parse(std::string_view text) const noexcept;
    // Negative, 0 or positive. Texts that are no times come first, in the order of their bytes.
    [[nodiscard]] int compare(std::string_view a, std::string_view b) const noexcept;

  private:
    std::optional<std::uint64_t> day_{};
};

}  // namespace pawl::detail
