// A connection to an SQLite database and its statements, owned.
#pragma once

#include <sqlite3.h>

#include <pawl/journal/error.hpp>
#include <pawl/sqlite/projection_tables.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace pawl::detail {

// What failed last on this connection, as an error. SQLite's message becomes the detail.
[[nodiscard]] error sql_error(sqlite3& database, std::string_view doing);

class sql_statement {
  public:
    explicit sql_statement(sqlite3_stmt* made) noexcept : statement_{made, &sqlite3_finalize} {}

    // For the next step(); text and blobs must stay valid until reset(). invalid_argument if the
    // statement has another number of parameters.
    [[nodiscard]] result<void> bind(std::span<const sql_value> values);
    // True if there is a row.
    [[nodiscard]] result<bool> step();
    void reset() noexcept { sqlite3_reset(statement_.get()); }

    [[nodiscard]] int columns() const noexcept { return sqlite3_column_count(statement_.get()); }
    [[nodiscard]] bool is_null(int column) const noexcept;
    [[nodiscard]] std::int64_t integer(int column) const noexcept;
    [[nodiscard]] std::uint64_t number(int column) const noexcept {
        return static_cast<std::uint64_t>(integer(column));
    }
    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] sqlite3_stmt* get() const noexcept { return statement_.get(); }

  private:
    std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement_;
};

class sql_database {
  public:
    enum class access : std::uint8_t { read, change, create };

    // not_found if there is none, unless it may create one. A reader rolls back what a process that
    // died has left in the way.
    [[nodiscard]] static result<sql_database> open(const std::filesystem::path& path, access mode);
    // For a database that one process writes and others read meanwhile: WAL mode, and every commit
    // on stable storage.
    [[nodiscard]] result<void> prepare_for_writer() const;
    // A database of its own that goes with the object, in memory as long as it fits into a cache.
    [[nodiscard]] static result<sql_database> open_temporary();

    [[nodiscard]] result<sql_statement> prepare(std::string_view text) const;
    // Executes one statement. Its rows are ignored.
    template <class... Values>
    [[nodiscard]] result<void> run(std::string_view text, const Values&... values) const {
        return each_row([](const sql_statement&) {}, text, values...);
    }
    // Executes one statement and visits each of its rows.
    template <class... Values>
    [[nodiscard]] result<void> each_row(const std::function<void(const sql_statement&)>& visit,
                                        std::string_view text, const Values&... values) const {
        const std::array<sql_value, sizeof...(Values)> bound{to_sql(values)...};
        return execute(visit, text, bound);
    }

    [[nodiscard]] sqlite3& get() const noexcept { return *handle_; }
    [[nodiscard]] bool in_transaction() const noexcept {
        return sqlite3_get_autocommit(handle_.get()) == 0;
    }
    // io if the transaction has ended by itself. SQLite does that when the disk is full or memory
    // runs out, and each statement that follows would commit alone.
    [[nodiscard]] result<void> still_in_transaction() const;
    // Does nothing outside a transaction.
    void roll_back() const noexcept;
    // At the latest once the last statement is gone.
    void close() noexcept { handle_.reset(); }

  private:
    [[nodiscard]] static result<sql_database> connect(const std::filesystem::path& path,
                                                      access mode);
    [[nodiscard]] bool waits_for_rollback() const;
    [[nodiscard]] result<void> execute(const std::function<void(const sql_statement&)>& visit,
                                       std::string_view text,
                                       std::span<const sql_value> values) const;

    explicit sql_database(sqlite3* handle) noexcept : handle_{handle, &sqlite3_close_v2} {}
    std::unique_ptr<sqlite3, int (*)(sqlite3*)> handle_;
};

// Rolls back unless it was committed.
class sql_transaction {
  public:
    [[nodiscard]] static result<sql_transaction> begin(const sql_database& in);
    sql_transaction(sql_transaction&& other) noexcept
        : database_{std::exchange(other.database_, nullptr)} {}
    sql_transaction& operator=(sql_transaction&&) = delete;
    ~sql_transaction() {
        if (database_ != nullptr)
            database_->roll_back();
    }
    [[nodiscard]] result<void> commit();

  private:
    explicit sql_transaction(const sql_database& in) noexcept : database_{&in} {}
    const sql_database* database_;
};

}  // namespace pawl::detail
