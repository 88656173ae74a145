// The module `pawl`: SQLite's callbacks.
#include "sqlite/table/event_rows.hpp"
#include "sqlite/table/journal_source.hpp"
#include "sqlite/table/scan_plan.hpp"
#include "sqlite/table/sqlite_api.hpp"
#include "sqlite/table/time_texts.hpp"

#include <pawl/codec/utc_time.hpp>
#include <pawl/sqlite/event_scan.hpp>
#include <pawl/sqlite/journal_tables.hpp>

#include <memory>
#include <new>
#include <optional>
#include <utility>

namespace pawl {

namespace {

using detail::chosen_constraints;
using detail::event_rows;
using detail::journal_source;
using detail::scan_plan;
using detail::time_texts;

struct journal_table : sqlite3_vtab {
    journal_source source;
    std::shared_ptr<time_texts> times;
};
struct journal_cursor : sqlite3_vtab_cursor {
    event_rows rows;
};

journal_table& table_of(sqlite3_vtab* table) noexcept {
    return *static_cast<journal_table*>(table);
}
journal_cursor& cursor_of(sqlite3_vtab_cursor* cursor) noexcept {
    return *static_cast<journal_cursor*>(cursor);
}

// Runs the body of a callback, which must not throw into SQLite.
template <class Act>
int guarded_callback(Act&& act) noexcept {
    try {
        return std::forward<Act>(act)();
    } catch (const std::bad_alloc&) {
        return SQLITE_NOMEM;
    }
}

char* sqlite_text(const std::string& text) noexcept {
    return sqlite3_mprintf("%s", text.c_str());
}

// Leaves the error's text with the table.
int outcome(sqlite3_vtab* table, const result<void>& done) {
    if (done)
        return SQLITE_OK;
    sqlite3_free(table->zErrMsg);
    table->zErrMsg = sqlite_text(done.error().message());
    return done.error().code == errc::out_of_memory ? SQLITE_NOMEM : SQLITE_ERROR;
}

// The third argument of a table that may lie on a network file system.
constexpr std::string_view allow_argument = "allow_network_file_system";

// What the module keeps for a connection: the event types of the journal that attach_journal() is
// making tables of. Loading them reads whole segments, so its tables share them.
struct attached_types {
    std::filesystem::path directory{};
    std::shared_ptr<const event_catalog> types{};
};

result<journal_source> source_of(const attached_types& attached,
                                 const std::filesystem::path& directory, std::string_view type,
                                 const attach_options& options) {
    if (attached.types != nullptr && attached.directory == directory)
        return journal_source::open(directory, attached.types, type, options);
    auto types = event_catalog::load(directory);
    if (!types)
        return std::unexpected(std::move(types.error()));
    return journal_source::open(directory, std::make_shared<const event_catalog>(std::move(*types)),
                                type, options);
}

// A journal without an event, or whose end cannot be read, leaves it to the next table or query.
void find_day(time_texts& times, const journal_source& source) {
    if (times.has_day())
        return;
    const auto day = last_day(source.directory(), source.options().allow_network_file_system);
    if (day && *day)
        times.set_day(**day);
}

int connect(sqlite3* database, void* module, int count, const char* const* words,
            sqlite3_vtab** made, char** why) {
    return guarded_callback([&] {
        constexpr int first = 3;  // after the names of module, schema and table
        const auto argument = [&](int number) {
            return count > first + number ? detail::without_quotes(words[first + number])
                                          : std::string{};
        };
        const bool allowed = argument(2) == allow_argument;
        if (count <= first || count > first + 3 || (!allowed && !argument(2).empty())) {
            *why = sqlite_text("pawl takes the directory of a journal, an event type, and '" +
                               std::string{allow_argument} + "'");
            return SQLITE_ERROR;
        }
        auto source = source_of(*static_cast<const attached_types*>(module), argument(0),
                                argument(1), {.allow_network_file_system = allowed});
        if (!source) {
            *why = sqlite_text(source.error().message());
            return SQLITE_ERROR;
        }
        if (const int code = sqlite3_declare_vtab(database, source->declaration().c_str());
            code != SQLITE_OK) {
            *why = sqlite_text(sqlite3_errmsg(database));
            return code;
        }
        auto times = time_texts::of(*database);
        if (!times) {
            *why = sqlite_text(times.error().message());
            return SQLITE_ERROR;
        }
        find_day(**times, *source);
        *made = new journal_table{{}, std::move(*source), std::move(*times)};
        return SQLITE_OK;
    });
}

int disconnect(sqlite3_vtab* table) {
    delete &table_of(table);
    return SQLITE_OK;
}

int open(sqlite3_vtab* table, sqlite3_vtab_cursor** made) {
    return guarded_callback([&] {
        *made = new journal_cursor{{}, event_rows{table_of(table).source}};
        return SQLITE_OK;
    });
}

int close(sqlite3_vtab_cursor* cursor) {
    delete &cursor_of(cursor);
    return SQLITE_OK;
}

int choose_plan(sqlite3_vtab* table, sqlite3_index_info* query) {
    return guarded_callback([&] {
        query->idxStr =
            sqlite_text(chosen_constraints(*query, table_of(table).source.type().has_value()));
        query->needToFreeIdxStr = 1;
        return query->idxStr == nullptr ? SQLITE_NOMEM : SQLITE_OK;
    });
}

int filter(sqlite3_vtab_cursor* cursor, int, const char* plan, int count, sqlite3_value** values) {
    return guarded_callback([&] {
        journal_source& source = table_of(cursor->pVtab).source;
        if (auto names = source.refresh_names(); !names)
            return outcome(cursor->pVtab, names);
        find_day(*table_of(cursor->pVtab).times, source);
        scan_plan asked{source, *table_of(cursor->pVtab).times};
        for (int i = 0; i < count; ++i, plan += 2)
            asked.add(plan[0], plan[1], values[i]);
        event_rows& rows = cursor_of(cursor).rows;
        if (!asked.empty())
            return outcome(cursor->pVtab, rows.start(asked.filter()));
        rows.start_empty();
        return SQLITE_OK;
    });
}

int next(sqlite3_vtab_cursor* cursor) {
    return guarded_callback([&] { return outcome(cursor->pVtab, cursor_of(cursor).rows.next()); });
}

int at_end(sqlite3_vtab_cursor* cursor) {
    return cursor_of(cursor).rows.at_end() ? 1 : 0;
}

int column(sqlite3_vtab_cursor* cursor, sqlite3_context* to, int index) {
    return guarded_callback([&] {
        return outcome(cursor->pVtab,
                       cursor_of(cursor).rows.column(to, static_cast<std::size_t>(index)));
    });
}

int row_id(sqlite3_vtab_cursor* cursor, sqlite3_int64* to) {
    *to = static_cast<sqlite3_int64>(cursor_of(cursor).rows.sequence());
    return SQLITE_OK;
}

constexpr sqlite3_module module_pawl{
    .iVersion = 1,
    .xCreate = connect,
    .xConnect = connect,
    .xBestIndex = choose_plan,
    .xDisconnect = disconnect,
    .xDestroy = disconnect,
    .xOpen = open,
    .xClose = close,
    .xFilter = filter,
    .xNext = next,
    .xEof = at_end,
    .xColumn = column,
    .xRowid = row_id,
    .xUpdate = nullptr,
    .xBegin = nullptr,
    .xSync = nullptr,
    .xCommit = nullptr,
    .xRollback = nullptr,
    .xFindFunction = nullptr,
    .xRename = nullptr,
    .xSavepoint = nullptr,
    .xRelease = nullptr,
    .xRollbackTo = nullptr,
    .xShadowName = nullptr,
};

result<void> run(sqlite3& database, const std::string& statement) {
    char* why = nullptr;
    if (sqlite3_exec(&database, statement.c_str(), nullptr, nullptr, &why) == SQLITE_OK)
        return {};
    auto failed = fail(errc::invalid_argument, why == nullptr ? statement : why);
    sqlite3_free(why);
    return failed;
}

// Registers the module, and returns what it keeps, which SQLite deletes with it.
result<attached_types*> add_module(sqlite3& database) {
    auto* kept = new attached_types;
    // Deletes `kept` if it fails, too.
    if (sqlite3_create_module_v2(&database, "pawl", &module_pawl, kept, [](void* at) {
            delete static_cast<attached_types*>(at);
        }) != SQLITE_OK)
        return fail(errc::invalid_argument, sqlite3_errmsg(&database));
    if (auto times = time_texts::of(database); !times)
        return std::unexpected(std::move(times.error()));
    return kept;
}

// Makes the tables of one journal in one schema.
class table_maker {
  public:
    table_maker(sqlite3& database, std::string schema, const std::filesystem::path& directory,
                const attach_options& options)
        : database_{database},
          schema_{std::move(schema)},
          directory_{detail::in_quotes(directory.string(), '\'')},
          options_{options} {}

    [[nodiscard]] result<void> make(std::string_view name, std::string_view type,
                                    const char* unless = "") const {
        std::string statement = "create virtual table ";
        statement.append(unless).append(schema_).append(".").append(detail::in_quotes(name, '"'));
        statement.append(" using pawl(").append(directory_);
        statement.append(", ").append(detail::in_quotes(type, '\''));
        if (options_.allow_network_file_system)
            statement.append(", ").append(detail::in_quotes(allow_argument, '\''));
        return run(database_, statement.append(")"));
    }
    // One more table of a type for each of its earlier names, so that old queries work.
    [[nodiscard]] result<void> make_old(const event_catalog& types) const {
        for (const auto& [name, type] : types.names()) {
            const std::string_view newest = types.name_of(type);
            // Types that share a name have no other than the full one.
            if (name == newest || name.contains('.') || newest.contains('.'))
                continue;
            if (auto made = make(name, newest, "if not exists "); !made)
                return made;
        }
        return {};
    }

  private:
    sqlite3& database_;
    std::string schema_;
    std::string directory_;
    attach_options options_;
};

result<void> make_all_tables(sqlite3& database, const std::filesystem::path& directory,
                             const event_catalog& types, std::string_view name,
                             const attach_options& options) {
    const std::string schema = detail::in_quotes(name, '"');
    if (name != "main" && name != "temp")
        if (auto made = run(database, "attach ':memory:' as " + schema); !made)
            return made;
    const table_maker tables{database, schema, directory, options};
    if (auto made = tables.make("events", {}); !made)
        return made;
    std::optional<std::uint16_t> before;
    for (const described_event& each : types.events()) {
        if (each.type == std::exchange(before, each.type))
            continue;
        const std::string_view type = types.name_of(each.type);
        if (auto made = tables.make(type, type); !made)
            return made;
    }
    return tables.make_old(types);
}

result<void> make_tables(sqlite3& database, const std::filesystem::path& directory,
                         std::string_view name, const attach_options& options) {
    auto types = event_catalog::load(directory);
    if (!types)
        return std::unexpected(std::move(types.error()));
    const auto kept = add_module(database);
    if (!kept)
        return std::unexpected(kept.error());
    **kept = {directory, std::make_shared<const event_catalog>(std::move(*types))};
    auto made = make_all_tables(database, directory, *(*kept)->types, name, options);
    **kept = {};  // a table made later gets the types of its own time
    return made;
}

}  // namespace

result<void> add_journal_module(sqlite3& database) {
    try {
        const auto added = add_module(database);
        return added ? result<void>{} : std::unexpected(added.error());
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

result<void> attach_journal(sqlite3& database, const std::filesystem::path& directory,
                            std::string_view name, const attach_options& options) {
    try {
        return make_tables(database, directory, name, options);
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

}  // namespace pawl
