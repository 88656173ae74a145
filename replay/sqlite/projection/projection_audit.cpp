#include "sqlite/projection/projection_sql.hpp"
#include "sqlite/projection/projection_store.hpp"
#include "sqlite/table/sqlite_api.hpp"

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/sqlite/projection_audit.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <set>
#include <utility>

namespace pawl::detail {

namespace {

// What the tables, views, indexes and triggers of a build are made with, by name.
using definitions = std::map<std::string, std::string>;

[[nodiscard]] result<definitions> definitions_of(const sql_database& in,
                                                 const std::string& prefix) {
    definitions found;
    auto done = in.each_row(
        [&](const sql_statement& row) { found.emplace(row.text(0), row.text(1)); },
        "select name, sql, type from sqlite_schema where substr(name, 1, length(?1)) = ?1", prefix);
    if (!done)
        return std::unexpected(std::move(done.error()));
    return found;
}

[[nodiscard]] bool same_value(sqlite3_stmt* a, sqlite3_stmt* b, int column) {
    const int type = sqlite3_column_type(a, column);
    if (type != sqlite3_column_type(b, column))
        return false;
    switch (type) {
        case SQLITE_INTEGER:
            return sqlite3_column_int64(a, column) == sqlite3_column_int64(b, column);
        case SQLITE_FLOAT:
            return std::bit_cast<std::uint64_t>(sqlite3_column_double(a, column)) ==
                   std::bit_cast<std::uint64_t>(sqlite3_column_double(b, column));
        case SQLITE_NULL:
            return true;
        default: {
            const void* left = sqlite3_column_blob(a, column);
            const void* right = sqlite3_column_blob(b, column);
            const int bytes = sqlite3_column_bytes(a, column);
            return bytes == sqlite3_column_bytes(b, column) &&
                   (bytes == 0 || std::memcmp(left, right, static_cast<std::size_t>(bytes)) == 0);
        }
    }
}

[[nodiscard]] std::string row_text(const sql_statement& row) {
    std::string text = "(";
    for (int i = 0; i < row.columns(); ++i) {
        text += i == 0 ? "" : ", ";
        text += row.is_null(i) ? "NULL" : row.text(i);
    }
    return text + ")";
}

class auditor {
  public:
    auditor(const projection_type& type, std::filesystem::path directory, sql_database database,
            sql_database copy)
        : type_{type},
          directory_{std::move(directory)},
          database_{std::move(database)},
          copy_{std::move(copy)},
          guard_{copy_} {}

    [[nodiscard]] result<projection_audit> run(const audit_options& options) {
        // All that is read from here on is of one moment.
        if (auto begun = database_.run("begin"); !begun)
            return std::unexpected(std::move(begun.error()));
        if (auto found = find(options.building); !found)
            return std::unexpected(std::move(found.error()));
        if (auto folded = fold(options); !folded)
            return std::unexpected(std::move(folded.error()));
        if (auto compared = compare(); !compared)
            return std::unexpected(std::move(compared.error()));
        return std::move(report_);
    }

  private:
    [[nodiscard]] result<void> find(bool building) {
        const projection_store store{database_};
        if (auto known = store.check(); !known)
            return known;
        auto all = store.builds();
        if (!all)
            return std::unexpected(std::move(all.error()));
        const auto at = std::ranges::find_if(*all, [&](const projection_build& each) {
            return each.name == type_.name && each.version == type_.version &&
                   (each.state == projection_state::live) != building;
        });
        if (at == all->end())
            return std::unexpected(error{
                .code = errc::not_found,
                .reason = "the database does not have this version of the projection",
                .detail = std::string{type_.name} + ", version " + std::to_string(type_.version)});
        build_ = *at;
        prefix_ = prefix_of(build_.name, build_.id);
        report_.build = static_cast<std::uint64_t>(build_.id);
        report_.next = build_.position.point.next;
        auto parked = store.parked(build_.id);
        if (!parked)
            return std::unexpected(std::move(parked.error()));
        auto skipped = store.skipped(build_.id);
        if (!skipped)
            return std::unexpected(std::move(skipped.error()));
        for (const parked_row& each : *parked)
            left_out_.insert(each.sequence);
        for (const skipped_row& each : *skipped)
            left_out_.insert(each.sequence);
        return {};
    }

    [[nodiscard]] result<cursor> open_events(const start& from, const audit_options& options) {
        return cursor::open(
            directory_,
            {.from = from, .allow_network_file_system = options.allow_network_file_system});
    }

    [[nodiscard]] result<void> fold(const audit_options& options) {
        // Fails with diverged if the journal has lost what the database shows.
        auto end = open_events(
            from_point{.point = build_.position.point, .taken_in = build_.journal}, options);
        if (!end)
            return std::unexpected(std::move(end.error()));
        auto events = open_events(from_point{}, options);
        if (!events)
            return std::unexpected(std::move(events.error()));
        if (auto begun = copy_.run("begin"); !begun)
            return begun;
        projection_sql statements{copy_, guard_, prefix_};
        projection_tables to{statements};
        if (auto made = type_.create(to); !made)
            return made;
        while (events->next_sequence() < report_.next) {
            const event* e = events->next();
            if (e == nullptr) {
                auto why = events->finish();
                return why ? fail(errc::diverged, "the journal ends before the projection")
                           : std::unexpected(std::move(why.error()));
            }
            if (std::ranges::find(type_.types, e->type()) == type_.types.end() ||
                left_out_.contains(e->sequence()))
                continue;
            if (auto done = type_.apply(to, *e); !done) {
                if (done.error().sequence == no_value)
                    done.error().sequence = e->sequence();
                return done;
            }
            ++report_.applied;
        }
        return copy_.run("commit");
    }

    [[nodiscard]] result<void> compare() {
        auto held = definitions_of(database_, prefix_);
        if (!held)
            return std::unexpected(std::move(held.error()));
        auto made = definitions_of(copy_, prefix_);
        if (!made)
            return std::unexpected(std::move(made.error()));
        if (*held != *made) {
            describe_change(*held, *made);
            return {};
        }
        const projection_store store{copy_};
        auto objects = store.objects(build_);
        if (!objects)
            return std::unexpected(std::move(objects.error()));
        for (const auto& [type, name] : *objects) {
            if (auto done = compare_rows(name); !done || report_.difference)
                return done;
        }
        return {};
    }

    void describe_change(const definitions& held, const definitions& made) {
        for (const definitions* all : {&held, &made})
            for (const auto& [name, text] : *all) {
                const auto of = [&](const definitions& in) {
                    const auto at = in.find(name);
                    return at == in.end() ? std::string{} : at->second;
                };
                if (of(held) == of(made))
                    continue;
                report_.difference = projection_difference{
                    .table = name.substr(prefix_.size()), .database = of(held), .fold = of(made)};
                return;
            }
    }

    // In the order of all columns, as a table has no other.
    [[nodiscard]] static result<sql_statement> rows_of(const sql_database& in,
                                                       const std::string& table) {
        const std::string query = "select * from " + in_quotes(table, '"');
        auto columns = in.prepare(query);
        if (!columns)
            return columns;
        std::string ordered = query + " order by 1";
        for (int i = 2; i <= columns->columns(); ++i)
            ordered += ", " + std::to_string(i);
        return in.prepare(ordered);
    }

    [[nodiscard]] result<void> compare_rows(const std::string& table) {
        auto held = rows_of(database_, prefix_ + table);
        if (!held)
            return std::unexpected(std::move(held.error()));
        auto made = rows_of(copy_, prefix_ + table);
        if (!made)
            return std::unexpected(std::move(made.error()));
        for (std::uint64_t row = 0;; ++row) {
            auto left = held->step();
            if (!left)
                return std::unexpected(std::move(left.error()));
            auto right = made->step();
            if (!right)
                return std::unexpected(std::move(right.error()));
            if (!*left && !*right)
                return {};
            bool same = *left && *right;
            for (int i = 0; same && i < held->columns(); ++i)
                same = same_value(held->get(), made->get(), i);
            if (!same) {
                report_.difference =
                    projection_difference{.table = table,
                                          .row = row,
                                          .database = *left ? row_text(*held) : std::string{},
                                          .fold = *right ? row_text(*made) : std::string{}};
                return {};
            }
            ++report_.rows;
        }
    }

    projection_type type_;
    std::filesystem::path directory_;
    sql_database database_;
    sql_database copy_;
    statement_guard guard_;
    projection_build build_;
    std::string prefix_;
    std::set<sequence_number> left_out_;
    projection_audit report_;
};

}  // namespace

result<projection_audit> audit_projection(const projection_type& type,
                                          const std::filesystem::path& directory,
                                          const std::filesystem::path& database,
                                          const audit_options& options) {
    return guarded([&]() -> result<projection_audit> {
        auto opened = sql_database::open(database, sql_database::access::read);
        if (!opened)
            return std::unexpected(std::move(opened.error()));
        auto copy = sql_database::open_temporary();
        if (!copy)
            return std::unexpected(std::move(copy.error()));
        return auditor{type, directory, std::move(*opened), std::move(*copy)}.run(options);
    });
}

}  // namespace pawl::detail

namespace pawl {

std::string projection_difference::message() const {
    const auto shown = [](const std::string& text) { return text.empty() ? "nothing" : text; };
    return "table " + table + ", row " + std::to_string(row) + ": the database has " +
           shown(database) + ", the fold " + shown(fold);
}

}  // namespace pawl
