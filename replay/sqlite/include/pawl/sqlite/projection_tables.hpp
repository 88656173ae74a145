// The tables of one projection, as its `create` and `apply` use them.
//
//     struct balances {
//         static constexpr std::string_view name = "balances";
//         static constexpr std::uint32_t version = 1;
//         using events = pawl::event_list<deposited, withdrawn>;
//
//         static pawl::result<void> create(pawl::projection_tables& to) {
//             return to.run("create table {balances} (account integer primary key, "
//                           "balance integer not null check (balance >= 0)) strict");
//         }
//         static pawl::result<void> apply(pawl::projection_tables& to, const deposited& e) {
//             return to.run("insert into {balances} values (?1, ?2) "
//                           "on conflict do update set balance = balance + ?2",
//                           e.account(), e.amount());
//         }
//         static pawl::result<void> apply(pawl::projection_tables& to, const withdrawn& e,
//                                         const pawl::event& at) {
//             use(at.sequence());
//             return to.run("update {balances} set balance = balance - ?2 where account = ?1",
//                           e.account(), e.amount());
//         }
//         // Optional; pawl::park_key needs it.
//         static std::uint64_t key(const auto& e) { return e.account(); }
//     };
//
// A name in braces is that of a table, index, trigger or view of the projection. Several versions
// of a projection can thus be in one database; readers use the names without braces, which are
// views of the version that is live.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <pawl/journal/error.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace pawl {

namespace detail {
class projection_sql;
}

// NULL, an integer, a real number, text or a blob.
using sql_value = std::variant<std::monostate, std::int64_t, double, std::string_view,
                               std::span<const std::byte>>;

namespace detail {

template <class Value>
[[nodiscard]] sql_value to_sql(const Value& from) {
    if constexpr (std::is_enum_v<Value>)
        return static_cast<std::int64_t>(std::to_underlying(from));
    else if constexpr (std::integral<Value>)
        return static_cast<std::int64_t>(from);
    else if constexpr (std::floating_point<Value>)
        return static_cast<double>(from);
    else if constexpr (std::convertible_to<Value, std::string_view>)
        return std::string_view{from};
    else if constexpr (std::convertible_to<Value, const flatbuffers::String*>)
        return from == nullptr ? sql_value{} : sql_value{from->string_view()};
    else if constexpr (std::same_as<Value, std::nullptr_t> || std::same_as<Value, std::nullopt_t>)
        return {};
    else
        return std::span<const std::byte>{from};
}

}  // namespace detail

// Valid during the call that it was passed to. Statements are prepared once and kept; each can only
// read and change the projection's own tables, and not begin or end a transaction.
class projection_tables {
  public:
    explicit projection_tables(detail::projection_sql& by) noexcept : by_{&by} {}

    // Runs one statement with these values for its parameters, and ignores its rows. A value is an
    // integer, an enumerator, a real number, text (a null flatbuffers::String is NULL), bytes,
    // or nullptr for NULL. SQLite's integers are signed: an unsigned one from 2^63 on is stored
    // with the same bits, as a negative number. Fails with invalid_argument and SQLite's message if
    // the statement is wrong or a constraint does not hold; with disk_full, io, locked, damaged or
    // out_of_memory if the database failed.
    template <class... Values>
    [[nodiscard]] result<void> run(std::string_view statement, const Values&... values) {
        const std::array<sql_value, sizeof...(Values)> bound{detail::to_sql(values)...};
        return run_bound(statement, bound);
    }

    // The first column of the first row as an integer; nothing without a row or if it is NULL.
    template <class... Values>
    [[nodiscard]] result<std::optional<std::int64_t>> integer(std::string_view statement,
                                                              const Values&... values) {
        const std::array<sql_value, sizeof...(Values)> bound{detail::to_sql(values)...};
        return integer_bound(statement, bound);
    }

  private:
    [[nodiscard]] result<void> run_bound(std::string_view statement,
                                         std::span<const sql_value> values);
    [[nodiscard]] result<std::optional<std::int64_t>> integer_bound(
        std::string_view statement, std::span<const sql_value> values);

    detail::projection_sql* by_;
};

}  // namespace pawl
