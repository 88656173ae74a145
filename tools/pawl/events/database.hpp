// An SQLite database in memory whose tables are journals.
#pragma once

#include <sqlite3.h>

#include <pawl/journal/error.hpp>
#include <pawl/sqlite/journal_tables.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace pawl::cli {

// A prepared query.
class query {
  public:
    explicit query(sqlite3_stmt* statement) : statement_{statement, &sqlite3_finalize} {}

    // True if there is a row. Fails with malformed if the journal could not be read further.
    [[nodiscard]] result<bool> next();
    [[nodiscard]] sqlite3_stmt* get() const noexcept { return statement_.get(); }

  private:
    std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_;
};

class database {
  public:
    // With the tables of the journal in `directory`.
    [[nodiscard]] static result<database> open(const std::filesystem::path& directory,
                                               const attach_options& options = {});
    // Adds the tables of another journal, as NAME.events and so on.
    [[nodiscard]] result<void> attach(std::string_view name, const std::filesystem::path& directory,
                                      const attach_options& options = {});
    // From now on queries cannot change anything.
    [[nodiscard]] result<void> make_read_only();

    // One statement. Fails with invalid_argument.
    [[nodiscard]] result<query> prepare(const std::string& text);
    // The first of several; removes it from `text`.
    [[nodiscard]] result<query> prepare_first(std::string& text);
    [[nodiscard]] sqlite3* get() const noexcept { return handle_.get(); }

  private:
    explicit database(sqlite3* handle) : handle_{handle, &sqlite3_close_v2} {}

    std::unique_ptr<sqlite3, int (*)(sqlite3*)> handle_;
};

}  // namespace pawl::cli
