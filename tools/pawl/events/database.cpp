#include "events/database.hpp"

#include <pawl/sqlite/journal_tables.hpp>

namespace pawl::cli {

result<bool> query::next() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return code == SQLITE_ROW;
    return fail(code == SQLITE_NOMEM ? errc::out_of_memory : errc::malformed,
                sqlite3_errmsg(sqlite3_db_handle(statement_.get())));
}

result<database> database::open(const std::filesystem::path& directory,
                                const attach_options& options) {
    sqlite3* handle = nullptr;
    const int code = sqlite3_open(":memory:", &handle);
    database made{handle};
    if (code != SQLITE_OK)
        return fail(errc::out_of_memory, "an SQLite database in memory");
    if (auto attached = attach_journal(*handle, directory, "main", options); !attached)
        return std::unexpected(std::move(attached.error()));
    return made;
}

result<void> database::attach(std::string_view name, const std::filesystem::path& directory,
                              const attach_options& options) {
    return attach_journal(*handle_, directory, name, options);
}

result<void> database::make_read_only() {
    auto pragma = prepare("pragma query_only = 1");
    if (!pragma)
        return std::unexpected(std::move(pragma.error()));
    auto set = pragma->next();
    if (!set)
        return std::unexpected(std::move(set.error()));
    return {};
}

result<query> database::prepare(const std::string& text) {
    std::string rest = text;
    auto made = prepare_first(rest);
    if (made && rest.find_first_not_of(" \t\r\n;") != std::string::npos)
        return fail(errc::invalid_argument, "more than one statement in a query");
    return made;
}

result<query> database::prepare_first(std::string& text) {
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    if (sqlite3_prepare_v2(handle_.get(), text.c_str(), static_cast<int>(text.size() + 1),
                           &statement, &rest) != SQLITE_OK)
        return fail(errc::invalid_argument, sqlite3_errmsg(handle_.get()));
    query made{statement};
    if (statement == nullptr)
        return fail(errc::invalid_argument, "the query is empty");
    text.erase(0, static_cast<std::size_t>(rest - text.c_str()));
    return made;
}

}  // namespace pawl::cli
