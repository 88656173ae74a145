#include "sqlite/projection/projection_sql.hpp"

#include <algorithm>
#include <utility>

namespace pawl::detail {

namespace {

int allow(void* self, int action, const char* first, const char* second, const char*, const char*) {
    const std::string* prefix = static_cast<const statement_guard*>(self)->prefix;
    if (prefix == nullptr)
        return SQLITE_OK;
    const auto text = [](const char* name) {
        return std::string_view{name == nullptr ? "" : name};
    };
    const auto own = [&](const char* name) {
        return text(name).starts_with(*prefix) ? SQLITE_OK : SQLITE_DENY;
    };
    // That of a primary key or a unique column has a name that SQLite gives, and no statement can.
    const auto own_index = [&](const char* name) {
        return text(name).starts_with("sqlite_autoindex_") ? SQLITE_OK : own(name);
    };
    switch (action) {
        case SQLITE_SELECT:
        case SQLITE_RECURSIVE:
            return SQLITE_OK;
        case SQLITE_FUNCTION:  // a table that was renamed would leave its build
            return text(second) == "sqlite_rename_table" ? SQLITE_DENY : SQLITE_OK;
        case SQLITE_READ:
        case SQLITE_CREATE_TABLE:
            return text(first).starts_with("sqlite_") ? SQLITE_OK : own(first);
        case SQLITE_INSERT:
        case SQLITE_UPDATE:
        case SQLITE_DELETE:  // a statement that creates something changes the schema's tables
            return text(first) == "sqlite_master" || text(first) == "sqlite_temp_master"
                       ? SQLITE_OK
                       : own(first);
        case SQLITE_CREATE_VIEW:
        case SQLITE_CREATE_VTABLE:
            return own(first);
        case SQLITE_REINDEX:
            return own_index(first);
        case SQLITE_CREATE_INDEX:
            return own_index(first) == SQLITE_OK ? own(second) : SQLITE_DENY;
        case SQLITE_CREATE_TRIGGER:
            return own(first) == SQLITE_OK ? own(second) : SQLITE_DENY;
        case SQLITE_ALTER_TABLE:
            return own(second);
        default:  // transactions, other databases, pragmas, temporary and dropped tables
            return SQLITE_DENY;
    }
}

[[nodiscard]] bool in_name(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Whatever happens, the guard ends with the statement, and the statement holds no lock.
class guarded_statement {
  public:
    guarded_statement(statement_guard& by, const std::string& prefix) noexcept : guard_{by} {
        guard_.prefix = &prefix;
    }
    guarded_statement(const guarded_statement&) = delete;
    guarded_statement& operator=(const guarded_statement&) = delete;
    ~guarded_statement() {
        if (running != nullptr)
            running->reset();
        guard_.prefix = nullptr;
    }
    sql_statement* running = nullptr;

  private:
    statement_guard& guard_;
};

}  // namespace

statement_guard::statement_guard(const sql_database& of) noexcept {
    sqlite3_set_authorizer(&of.get(), &allow, this);
}

std::string prefix_of(std::string_view projection, std::int64_t build) {
    return std::string{projection} + '#' + std::to_string(build) + '.';
}

std::string projection_sql::expand(std::string_view text) const {
    std::string made;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const std::size_t end = text[at] == '{' ? text.find('}', at) : std::string_view::npos;
        const auto name =
            end == std::string_view::npos ? std::string_view{} : text.substr(at + 1, end - at - 1);
        if (name.empty() || !std::ranges::all_of(name, in_name)) {
            made += text[at];
            continue;
        }
        made.append("\"").append(prefix_).append(name).append("\"");
        at = end;
    }
    return made;
}

result<sql_statement*> projection_sql::prepared(std::string_view text) {
    for (const known_address& each : addresses_)
        if (each.address == text.data() && each.text == text)
            return each.statement;
    auto found = prepare_or_find(text);
    if (found && addresses_.size() < most_addresses)
        addresses_.push_back({text.data(), statements_.find(text)->first, *found});
    return found;
}

result<sql_statement*> projection_sql::prepare_or_find(std::string_view text) {
    if (const auto known = statements_.find(text); known != statements_.end())
        return known->second.get();
    auto made = database_->prepare(expand(text));
    if (!made)
        return std::unexpected(std::move(made.error()));
    auto owned = std::make_unique<sql_statement>(std::move(*made));
    return statements_.emplace(std::string{text}, std::move(owned)).first->second.get();
}

result<void> projection_sql::run(std::string_view text, std::span<const sql_value> values) {
    return run(text, values, [](const sql_statement&) { return true; });
}

result<void> projection_sql::run(std::string_view text, std::span<const sql_value> values,
                                 const std::function<bool(const sql_statement&)>& visit) {
    if (auto inside = database_->still_in_transaction(); !inside)
        return inside;
    guarded_statement guard{*guard_, prefix_};
    auto ready = prepared(text);
    if (!ready)
        return std::unexpected(std::move(ready.error()));
    guard.running = *ready;
    if (auto bound = (*ready)->bind(values); !bound)
        return bound;
    for (;;) {
        auto more = (*ready)->step();
        if (!more)
            return std::unexpected(std::move(more.error()));
        if (!*more || !visit(**ready))
            return {};
    }
}

}  // namespace pawl::detail

namespace pawl {

result<void> projection_tables::run_bound(std::string_view statement,
                                          std::span<const sql_value> values) {
    return by_->run(statement, values);
}

result<std::optional<std::int64_t>> projection_tables::integer_bound(
    std::string_view statement, std::span<const sql_value> values) {
    std::optional<std::int64_t> found;
    auto done = by_->run(statement, values, [&](const detail::sql_statement& row) {
        if (!row.is_null(0))
            found = row.integer(0);
        return false;
    });
    if (!done)
        return std::unexpected(std::move(done.error()));
    return found;
}

}  // namespace pawl
