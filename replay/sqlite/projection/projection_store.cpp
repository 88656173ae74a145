#include "sqlite/projection/projection_store.hpp"

#include "sqlite/projection/projection_sql.hpp"
#include "sqlite/table/sqlite_api.hpp"

#include <algorithm>
#include <functional>

namespace pawl::detail {

namespace {

constexpr std::int64_t format = 1;

constexpr const char* schema[] = {
    "create table if not exists pawl_format (version integer not null) strict",
    "create table if not exists pawl_projections ("
    "build integer primary key autoincrement, name text not null, version integer not null, "
    "state text not null check (state in ('building', 'live', 'old')), directory text not null, "
    "consumer text not null, journal blob not null, next_sequence integer not null, "
    "content_hash integer not null, frame_hash integer not null, event_ns integer not null, "
    "applied integer not null, stopped text) strict",
    "create table if not exists pawl_parked (build integer not null, sequence integer not null, "
    "key text not null, why text not null, content_hash integer not null, "
    "hold_next integer not null, hold_content integer not null, hold_frame integer not null, "
    "hold_ns integer not null, retry integer not null, "
    "primary key (build, sequence)) strict, without rowid",
    "create table if not exists pawl_skipped (build integer not null, sequence integer not null, "
    "why text not null, primary key (build, sequence)) strict, without rowid",
    "create table if not exists pawl_views (view text primary key, projection text not null) "
    "strict, without rowid",
};

[[nodiscard]] journal_id id_at(const sql_statement& row, int column) {
    journal_id id{};
    const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(row.get(), column));
    if (bytes != nullptr && sqlite3_column_bytes(row.get(), column) == static_cast<int>(id.size()))
        std::copy_n(bytes, id.size(), id.begin());
    return id;
}

[[nodiscard]] consumer_position position_at(const sql_statement& row, int column) {
    return {.point = {.next = row.number(column),
                      .content_hash = row.number(column + 1),
                      .frame_hash = row.number(column + 2)},
            .event_ns = row.number(column + 3)};
}

// The table allows no other word.
[[nodiscard]] projection_state state_at(const sql_statement& row, int column) {
    const std::string word = row.text(column);
    if (word == to_string(projection_state::live))
        return projection_state::live;
    return word == to_string(projection_state::old) ? projection_state::old
                                                    : projection_state::building;
}

[[nodiscard]] projection_build build_at(const sql_statement& row) {
    return {.id = row.integer(0),
            .name = row.text(1),
            .version = static_cast<std::uint32_t>(row.integer(2)),
            .state = state_at(row, 3),
            .directory = row.text(4),
            .consumer = row.text(5),
            .journal = id_at(row, 6),
            .position = position_at(row, 7),
            .applied = row.number(11),
            .stopped = row.text(12)};
}

}  // namespace

result<void> projection_store::create() const {
    auto all = sql_transaction::begin(*database_);
    if (!all)
        return std::unexpected(std::move(all.error()));
    for (const char* each : schema)
        if (auto made = database_->run(each); !made)
            return made;
    if (auto made = database_->run(
            "insert into pawl_format select ?1 where not exists (select 1 from pawl_format)",
            format);
        !made)
        return made;
    if (auto fine = check(); !fine)
        return fine;
    return all->commit();
}

result<void> projection_store::check() const {
    bool known = false;
    if (auto read = database_->each_row([&](const sql_statement&) { known = true; },
                                        "select 1 from sqlite_schema where name = 'pawl_format'");
        !read)
        return read;
    const char* path = sqlite3_db_filename(&database_->get(), "main");
    const std::string file{path == nullptr ? "" : path};
    if (!known)
        return std::unexpected(error{
            .code = errc::not_found, .reason = "the database holds no projections", .file = file});
    std::int64_t version = 0;
    if (auto read = database_->each_row([&](const sql_statement& row) { version = row.integer(0); },
                                        "select version from pawl_format");
        !read)
        return read;
    if (version != format)
        return std::unexpected(error{.code = errc::newer_format,
                                     .size = static_cast<std::uint64_t>(version),
                                     .limit = static_cast<std::uint64_t>(format),
                                     .reason = "a later program wrote this database's projections",
                                     .file = file});
    return {};
}

result<std::vector<projection_build>> projection_store::builds() const {
    std::vector<projection_build> all;
    auto read = database_->each_row(
        [&](const sql_statement& row) { all.push_back(build_at(row)); },
        "select build, name, version, state, directory, consumer, journal, next_sequence, "
        "content_hash, frame_hash, event_ns, applied, stopped from pawl_projections "
        "order by name, build");
    if (!read)
        return std::unexpected(std::move(read.error()));
    return all;
}

result<void> projection_store::add(projection_build& build) const {
    auto made = database_->run(
        "insert into pawl_projections (name, version, state, directory, consumer, journal, "
        "next_sequence, content_hash, frame_hash, event_ns, applied) "
        "values (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0, 0, 0)",
        build.name, build.version, to_string(build.state), build.directory, build.consumer,
        std::as_bytes(std::span{build.journal}));
    if (made)
        build.id = sqlite3_last_insert_rowid(&database_->get());
    return made;
}

result<void> projection_store::move(const projection_build& to, sequence_number from) const {
    auto moved = database_->run(
        "update pawl_projections set journal = ?2, next_sequence = ?3, content_hash = ?4, "
        "frame_hash = ?5, event_ns = ?6, applied = ?7, stopped = null, directory = ?9, "
        "consumer = ?10 where build = ?1 and next_sequence = ?8",
        to.id, std::as_bytes(std::span{to.journal}), to.position.point.next,
        to.position.point.content_hash, to.position.point.frame_hash, to.position.event_ns,
        to.applied, from, to.directory, to.consumer);
    if (moved && sqlite3_changes(&database_->get()) != 1)
        return std::unexpected(error{.code = errc::locked,
                                     .sequence = from,
                                     .reason = "another program has moved the projection"});
    return moved;
}

result<void> projection_store::record_stop(std::int64_t build, std::string_view why) const {
    return database_->run("update pawl_projections set stopped = ?2 where build = ?1", build, why);
}

result<std::vector<parked_row>> projection_store::parked(std::int64_t build) const {
    std::vector<parked_row> all;
    auto read = database_->each_row(
        [&](const sql_statement& row) {
            all.push_back({.sequence = row.number(0),
                           .key = row.text(1),
                           .why = row.text(2),
                           .content_hash = row.number(3),
                           .hold = position_at(row, 4),
                           .retry = row.integer(8) != 0});
        },
        "select sequence, key, why, content_hash, hold_next, hold_content, hold_frame, hold_ns, "
        "retry from pawl_parked where build = ?1 order by sequence",
        build);
    if (!read)
        return std::unexpected(std::move(read.error()));
    return all;
}

result<void> projection_store::park(std::int64_t build, const parked_row& row) const {
    return database_->run("insert into pawl_parked values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0)",
                          build, row.sequence, row.key, row.why, row.content_hash,
                          row.hold.point.next, row.hold.point.content_hash,
                          row.hold.point.frame_hash, row.hold.event_ns);
}

result<void> projection_store::unpark(std::int64_t build, sequence_number sequence) const {
    return database_->run("delete from pawl_parked where build = ?1 and sequence = ?2", build,
                          sequence);
}

result<void> projection_store::record_retry(std::int64_t build, sequence_number sequence,
                                            std::string_view why) const {
    return database_->run("update pawl_parked set why = ?3 where build = ?1 and sequence = ?2",
                          build, sequence, why);
}

result<std::uint64_t> projection_store::give_up(std::int64_t build, std::string_view key) const {
    auto done = database_->run(
        "insert into pawl_skipped select build, sequence, 'dropped while it was parked: ' || why "
        "from pawl_parked where build = ?1 and key = ?2",
        build, key);
    if (done)
        done = database_->run("delete from pawl_parked where build = ?1 and key = ?2", build, key);
    if (!done)
        return std::unexpected(std::move(done.error()));
    return static_cast<std::uint64_t>(sqlite3_changes(&database_->get()));
}

result<std::uint64_t> projection_store::ask_for_retry(std::int64_t build, std::string_view key,
                                                      bool wanted) const {
    auto done = database_->run("update pawl_parked set retry = ?3 where build = ?1 and key = ?2",
                               build, key, wanted);
    if (!done)
        return std::unexpected(std::move(done.error()));
    return static_cast<std::uint64_t>(sqlite3_changes(&database_->get()));
}

result<std::vector<skipped_row>> projection_store::skipped(std::int64_t build) const {
    std::vector<skipped_row> all;
    auto read = database_->each_row(
        [&](const sql_statement& row) { all.push_back({row.number(0), row.text(1)}); },
        "select sequence, why from pawl_skipped where build = ?1 order by sequence", build);
    if (!read)
        return std::unexpected(std::move(read.error()));
    return all;
}

result<void> projection_store::skip(std::int64_t build, const skipped_row& row) const {
    return database_->run("insert into pawl_skipped values (?1, ?2, ?3)", build, row.sequence,
                          row.why);
}

result<std::vector<std::pair<std::string, std::string>>> projection_store::objects(
    const projection_build& build) const {
    const std::string prefix = prefix_of(build.name, build.id);
    std::vector<std::pair<std::string, std::string>> all;
    auto read = database_->each_row(
        [&](const sql_statement& row) {
            all.emplace_back(row.text(0), row.text(1).substr(prefix.size()));
        },
        "select type, name from sqlite_schema where type in ('table', 'view') "
        "and substr(name, 1, length(?1)) = ?1 order by type desc, name",
        prefix);
    if (!read)
        return std::unexpected(std::move(read.error()));
    return all;
}

result<void> projection_store::check_view_names(const projection_build& build) const {
    auto all = objects(build);
    if (!all)
        return std::unexpected(std::move(all.error()));
    for (const auto& [type, name] : *all) {
        std::optional<std::string> taken_by;
        auto read = database_->each_row(
            [&](const sql_statement& row) {
                taken_by = row.is_null(0) ? "the database itself" : "projection " + row.text(0);
            },
            "select v.projection from sqlite_schema s left join pawl_views v on v.view = s.name "
            "where s.name = ?1 collate nocase and v.projection is not ?2",
            name, build.name);
        if (!read)
            return read;
        if (taken_by)
            return std::unexpected(error{.code = errc::invalid_argument,
                                         .reason = "a projection's table has a name that is taken",
                                         .detail = "projection " + build.name + ", table " + name +
                                                   ": " + *taken_by + " has one of that name"});
    }
    return {};
}

result<void> projection_store::make_live(const projection_build& build) const {
    if (auto fine = check_view_names(build); !fine)
        return fine;
    std::vector<std::string> before;
    auto done =
        database_->each_row([&](const sql_statement& row) { before.push_back(row.text(0)); },
                            "select view from pawl_views where projection = ?1", build.name);
    for (std::size_t i = 0; done && i < before.size(); ++i)
        done = database_->run("drop view " + in_quotes(before[i], '"'));
    if (done)
        done = database_->run("delete from pawl_views where projection = ?1", build.name);
    if (!done)
        return done;
    auto all = objects(build);
    if (!all)
        return std::unexpected(std::move(all.error()));
    const std::string prefix = prefix_of(build.name, build.id);
    for (const auto& [type, name] : *all) {
        done = database_->run("create view " + in_quotes(name, '"') + " as select * from " +
                              in_quotes(prefix + name, '"'));
        if (done)
            done = database_->run("insert into pawl_views values (?1, ?2)", name, build.name);
        if (!done)
            return done;
    }
    done = database_->run(
        "update pawl_projections set state = 'old' where name = ?1 and state = 'live'", build.name);
    if (!done)
        return done;
    return database_->run("update pawl_projections set state = 'live' where build = ?1", build.id);
}

result<void> projection_store::drop(const projection_build& build) const {
    auto all = objects(build);
    if (!all)
        return std::unexpected(std::move(all.error()));
    const std::string prefix = prefix_of(build.name, build.id);
    // Views come first; a virtual table, before those that it consists of, which go with it.
    for (const auto& [type, name] : *all)
        if (auto done =
                database_->run("drop " + type + " if exists " + in_quotes(prefix + name, '"'));
            !done)
            return done;
    for (const char* from : {"pawl_parked", "pawl_skipped", "pawl_projections"})
        if (auto done =
                database_->run(std::string{"delete from "} + from + " where build = ?1", build.id);
            !done)
            return done;
    return {};
}

}  // namespace pawl::detail
