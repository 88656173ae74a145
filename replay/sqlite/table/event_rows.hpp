// The cursor of a virtual table: the rows of one scan of the journal.
#pragma once

#include "sqlite/table/journal_source.hpp"
#include "sqlite/table/sqlite_api.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/sqlite/event_scan.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace pawl::detail {

class event_rows {
  public:
    explicit event_rows(journal_source& from) noexcept : from_{from} {}

    // Begins at the first row. `filter` restricts what is read; SQLite checks each row again.
    [[nodiscard]] result<void> start(event_filter filter);
    // Ends without a row, because nothing can match.
    void start_empty() noexcept;
    [[nodiscard]] result<void> next();

    [[nodiscard]] bool at_end() const noexcept { return event_ == nullptr; }
    [[nodiscard]] sequence_number sequence() const noexcept { return event_->sequence(); }
    [[nodiscard]] result<void> column(sqlite3_context* to, std::size_t index);

  private:
    [[nodiscard]] result<void> header(sqlite3_context* to, header_column column);
    [[nodiscard]] result<void> metadata(sqlite3_context* to);
    [[nodiscard]] result<void> json(sqlite3_context* to);
    [[nodiscard]] result<void> field(sqlite3_context* to, std::size_t index);

    journal_source& from_;
    std::optional<event_scan> scan_;
    const event* event_ = nullptr;
    const journal_source::shape* shape_ = nullptr;
    std::string text_;
};

}  // namespace pawl::detail
