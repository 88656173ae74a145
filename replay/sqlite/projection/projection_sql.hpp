// The statements of one build of a projection: prepared once, and held to the build's own tables.
#pragma once

#include "sqlite/projection/sql_database.hpp"

#include <pawl/journal/error.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pawl::detail {

// Allows a statement of a projection no other tables than those whose names begin with a prefix.
// One for a connection: setting another one makes SQLite prepare every statement again.
class statement_guard {
  public:
    explicit statement_guard(const sql_database& of) noexcept;
    statement_guard(const statement_guard&) = delete;
    statement_guard& operator=(const statement_guard&) = delete;

    // While it is null, every statement is allowed.
    const std::string* prefix = nullptr;
};

// Every object of the build is called PREFIXname; the prefix is "NAME#BUILD.".
[[nodiscard]] std::string prefix_of(std::string_view projection, std::int64_t build);

class projection_sql {
  public:
    projection_sql(const sql_database& in, statement_guard& guard, std::string prefix)
        : database_{&in}, guard_{&guard}, prefix_{std::move(prefix)} {}

    // Calls visit(statement) for each row until it returns false.
    [[nodiscard]] result<void> run(std::string_view text, std::span<const sql_value> values,
                                   const std::function<bool(const sql_statement&)>& visit);
    [[nodiscard]] result<void> run(std::string_view text, std::span<const sql_value> values);

  private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };

    // A statement that is a literal comes with the same address each time. Comparing the text is
    // cheaper than hashing it, and still notices another text at that address.
    struct known_address {
        const char* address = nullptr;
        std::string_view text;
        sql_statement* statement = nullptr;
    };
    static constexpr std::size_t most_addresses = 16;

    [[nodiscard]] result<sql_statement*> prepared(std::string_view text);
    [[nodiscard]] result<sql_statement*> prepare_or_find(std::string_view text);
    // `{balances}` becomes `"positions#3.balances"`.
    [[nodiscard]] std::string expand(std::string_view text) const;

    const sql_database* database_;
    statement_guard* guard_;
    std::string prefix_;
    std::unordered_map<std::string, std::unique_ptr<sql_statement>, text_hash, std::equal_to<>>
        statements_;
    std::vector<known_address> addresses_;
};

}  // namespace pawl::detail
