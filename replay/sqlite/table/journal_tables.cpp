// The module `pawl`: SQLite's callbacks, and which constraints restrict a scan.
#include "sqlite/table/event_rows.hpp"
#include "sqlite/table/journal_source.hpp"
#include "sqlite/table/sqlite_api.hpp"

#include <pawl/sqlite/journal_tables.hpp>
#include <pawl/sqlite/utc_time.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <utility>

namespace pawl {

namespace {

using detail::event_rows;
using detail::header_column;
using detail::journal_source;
using detail::streams_found;

struct journal_table : sqlite3_vtab {
    journal_source source;
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
        *made = new journal_table{{}, std::move(*source)};
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

// A constraint that restricts a scan, as two letters of the plan: its column and its comparison.
// No letter if the scan cannot be restricted by it.
constexpr char no_letter = 0;

char letter_of(int column, bool has_type) {
    switch (column) {
        case -1:  // the rowid
        case static_cast<int>(header_column::sequence):
            return 'q';
        case static_cast<int>(header_column::time):
            return 't';
        case static_cast<int>(header_column::timestamp_ns):
            return 'n';
        case static_cast<int>(header_column::stream):
            return 's';
        case static_cast<int>(header_column::type):
            return has_type ? no_letter : 'y';
        default:
            return no_letter;
    }
}
char letter_of(unsigned char comparison) {
    switch (comparison) {
        case SQLITE_INDEX_CONSTRAINT_EQ:
            return '=';
        case SQLITE_INDEX_CONSTRAINT_GT:
            return '>';
        case SQLITE_INDEX_CONSTRAINT_GE:
            return 'g';
        case SQLITE_INDEX_CONSTRAINT_LT:
            return '<';
        case SQLITE_INDEX_CONSTRAINT_LE:
            return 'l';
        default:
            return no_letter;
    }
}
// Another collation compares otherwise than the scan does.
bool has_collation_of(char column, const char* collation) {
    const std::string_view name = collation == nullptr ? "BINARY" : collation;
    return column == 't' ? name == "pawl_time" : name == "BINARY";
}
double share_of(char column, char comparison) {
    if (column == 's')
        return 0.01;
    if (comparison == '=')
        return column == 'q' ? 1e-6 : 0.001;
    return column == 'y' ? 1 : 0.25;
}

int choose_plan(sqlite3_vtab* table, sqlite3_index_info* query) {
    return guarded_callback([&] {
        const bool has_type = table_of(table).source.type().has_value();
        std::string plan;
        double cost = 1e6;
        for (int i = 0; i < query->nConstraint; ++i) {
            const auto& one = query->aConstraint[i];
            const char column = one.usable != 0 ? letter_of(one.iColumn, has_type) : no_letter;
            const char comparison = letter_of(one.op);
            if (column == no_letter || comparison == no_letter ||
                ((column == 's' || column == 'y') && comparison != '=') ||
                !has_collation_of(column, sqlite3_vtab_collation(query, i)))
                continue;
            plan += {column, comparison};
            query->aConstraintUsage[i].argvIndex = static_cast<int>(plan.size() / 2);
            cost *= share_of(column, comparison);
        }
        query->estimatedCost = std::max(cost, 1.0);
        query->estimatedRows = static_cast<sqlite3_int64>(query->estimatedCost);
        query->orderByConsumed =
            query->nOrderBy == 1 && query->aOrderBy[0].desc == 0 && query->aOrderBy[0].iColumn <= 0;
        query->idxStr = sqlite_text(plan);
        query->needToFreeIdxStr = 1;
        return query->idxStr == nullptr ? SQLITE_NOMEM : SQLITE_OK;
    });
}

std::string_view text_of(sqlite3_value* value) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
    return {text == nullptr ? "" : text, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

// Narrows [low, high], both inclusive, to what the comparison lets through, or a little more: a
// bound itself stays, because SQLite checks each row again.
void narrow(std::uint64_t& low, std::uint64_t& high, char comparison, std::uint64_t bound) {
    if (comparison == '=' || comparison == '>' || comparison == 'g')
        low = std::max(low, bound);
    if (comparison == '=' || comparison == '<' || comparison == 'l')
        high = std::min(high, bound);
}

// What the constraints of a query leave of the journal. A value of another kind than its column
// restricts nothing here.
class scan_plan {
  public:
    explicit scan_plan(const journal_source& from) : from_{from} {}

    void add(char column, char comparison, sqlite3_value* value) {
        switch (column) {
            case 'q':
                return number(low_, high_, comparison, value);
            case 'n':
                return number(filter_.since_ns, filter_.until_ns, comparison, value);
            case 't':
                if (const auto time = parse_utc(text_of(value)))
                    narrow(filter_.since_ns, filter_.until_ns, comparison, *time);
                return;
            case 's':
                return stream(text_of(value));
            default:
                filter_.type = from_.types().type_named(text_of(value));
        }
    }

    [[nodiscard]] bool empty() const noexcept { return empty_ || low_ > high_; }
    [[nodiscard]] event_filter filter() const {
        event_filter made = filter_;
        if (low_ != 0)
            made.from = low_;
        if (high_ != std::numeric_limits<std::uint64_t>::max())
            made.before = high_ + 1;
        return made;
    }

  private:
    void number(std::uint64_t& low, std::uint64_t& high, char comparison, sqlite3_value* value) {
        if (sqlite3_value_numeric_type(value) != SQLITE_INTEGER)
            return;
        const sqlite3_int64 bound = sqlite3_value_int64(value);
        if (bound >= 0)
            narrow(low, high, comparison, static_cast<std::uint64_t>(bound));
        else if (comparison == '=' || comparison == '<' || comparison == 'l')
            empty_ = true;
    }

    void stream(std::string_view text) {
        switch (const auto [found, number] = from_.streams_with(text); found) {
            case streams_found::none:
                empty_ = true;
                break;
            case streams_found::one:
                filter_.stream = number;
                break;
            case streams_found::several:
                break;
        }
    }

    const journal_source& from_;
    event_filter filter_{};
    std::uint64_t low_ = 0;
    std::uint64_t high_ = std::numeric_limits<std::uint64_t>::max();
    bool empty_ = false;
};

int filter(sqlite3_vtab_cursor* cursor, int, const char* plan, int count, sqlite3_value** values) {
    return guarded_callback([&] {
        journal_source& source = table_of(cursor->pVtab).source;
        if (auto names = source.refresh_names(); !names)
            return outcome(cursor->pVtab, names);
        scan_plan asked{source};
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

// Texts that are no times come first, in the order of their bytes.
int compare_times(void*, int first_bytes, const void* first, int second_bytes, const void* second) {
    const std::string_view a{static_cast<const char*>(first),
                             static_cast<std::size_t>(first_bytes)};
    const std::string_view b{static_cast<const char*>(second),
                             static_cast<std::size_t>(second_bytes)};
    const auto time_a = parse_utc(a);
    const auto time_b = parse_utc(b);
    if (time_a && time_b)
        return *time_a < *time_b ? -1 : *time_a > *time_b ? 1 : 0;
    if (time_a || time_b)
        return time_a ? 1 : -1;
    return a.compare(b);
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
    // Busy: a statement is running, such as the one that attaches, and the collation is there.
    const int code =
        sqlite3_create_collation(&database, "pawl_time", SQLITE_UTF8, nullptr, compare_times);
    if (code != SQLITE_OK && code != SQLITE_BUSY)
        return fail(errc::invalid_argument, sqlite3_errmsg(&database));
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
