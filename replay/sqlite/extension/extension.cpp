// The loadable extension: what SQLite calls when a program loads it.
//
//     sqlite> .load build/tools/pawl_sqlite
//     sqlite> select pawl_attach('orders');
//     sqlite> select instrument, sum(quantity) from order_filled group by 1;
#include <sqlite3ext.h>

extern "C" {
SQLITE_EXTENSION_INIT1
}

#include <pawl/sqlite/journal_tables.hpp>

#include <string>
#include <string_view>

namespace {

std::string_view text_of(sqlite3_value* value) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
    return {text == nullptr ? "" : text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

// pawl_attach(DIR), pawl_attach(DIR, SCHEMA): attach_journal(). Returns the directory.
void attach(sqlite3_context* to, int count, sqlite3_value** values) {
    const auto made = pawl::attach_journal(*sqlite3_context_db_handle(to), text_of(values[0]),
                                           count == 2 ? text_of(values[1]) : "main");
    if (made)
        sqlite3_result_value(to, values[0]);
    else
        sqlite3_result_error(to, made.error().message().c_str(), -1);
}

}  // namespace

extern "C" [[gnu::visibility("default")]] int sqlite3_extension_init(
    sqlite3* database, char** why, const sqlite3_api_routines* api) {
    SQLITE_EXTENSION_INIT2(api)
    if (const auto added = pawl::add_journal_module(*database); !added) {
        *why = sqlite3_mprintf("%s", added.error().message().c_str());
        return SQLITE_ERROR;
    }
    // Not from a view or trigger of a database that somebody else made: it opens files.
    constexpr int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
    for (const int count : {1, 2})
        if (const int code = sqlite3_create_function(database, "pawl_attach", count, flags, nullptr,
                                                     attach, nullptr, nullptr);
            code != SQLITE_OK)
            return code;
    // The library keeps a handler for signals: it must not be unloaded with the connection.
    return SQLITE_OK_LOAD_PERMANENTLY;
}
