// What do the tools cost? Queries by SQL beside the same over a native table of the same rows, and
// `pawl dump` beside the JSON printer alone.

#include "contenders/exchange_events.hpp"
#include "contenders/pawl_contenders.hpp"
#include "contenders/question.hpp"
#include "contenders/stored_journal.hpp"
#include "events_bfbs.hpp"
#include "measure/affinity.hpp"
#include "measure/clock.hpp"
#include "measure/contest.hpp"
#include "measure/failure.hpp"
#include "measure/mapping.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pawl/codec/encoder.hpp>
#include <pawl/codec/json.hpp>
#include <pawl/codec/registration.hpp>
#include <pawl/codec/utc_time.hpp>
#include <pawl/sqlite/journal_tables.hpp>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace bench {
namespace {

constexpr std::uint64_t streams = 1000;
constexpr std::uint64_t segments = 16;
constexpr std::uint64_t frame_bytes = 136;
constexpr std::uint64_t first_ns = 1'700'000'000'000'000'000;
constexpr std::uint64_t step_ns = 1000;

stored_journal store_trades(const std::filesystem::path& directory, std::uint64_t events) {
    pawl::encoder encode;
    return store_journal(
        directory, events,
        {.segment_bytes = (events * frame_bytes / segments + 65535) / 65536 * 65536,
         .sync = pawl::sync_policy::manual(),
         .clock = pawl::clock_source::caller},
        [&](pawl::writer& log, std::uint64_t i) {
            using list = pawl::event_list<exchange::filled>;
            if (i == 0 && !pawl::register_events<list>(log, events_bfbs(), first_ns)) {
                return false;
            }
            return encode
                .append(log, {.stream = 1 + i % streams, .timestamp_ns = first_ns + i * step_ns},
                        [&](auto& b) { return make_filled(b, i); })
                .has_value();
        });
}

struct close_database {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using database = std::unique_ptr<sqlite3, close_database>;

void execute(sqlite3& in, const std::string& statement) {
    if (sqlite3_exec(&in, statement.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        throw failure(fmt::format("{}: {}", statement, sqlite3_errmsg(&in)));
    }
}

std::int64_t ask_number(sqlite3& in, const std::string& query) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(&in, query.c_str(), -1, &statement, nullptr) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        sqlite3_finalize(statement);
        throw failure(fmt::format("{}: {}", query, sqlite3_errmsg(&in)));
    }
    const std::int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

contender query(const options& asked, sqlite3& in, std::uint64_t events, const char* name,
                const char* variant, const std::string& text, std::int64_t expected) {
    const auto run = [&asked, &in, events, text, expected]() -> sample {
        const pinned here(asked.writer_core());
        stopwatch watch;
        const std::int64_t value = ask_number(in, text);
        const auto taken = watch.stop();
        if (value != expected) {
            throw failure(fmt::format("{} gave {}, and {} is right", text, value, expected));
        }
        return {.events = events, .total_ns = taken, .interrupted = watch.interrupted()};
    };
    return {.name = name, .variant = variant, .options = text, .run = run};
}

// Each query's answer must be that of the native table.
void ask_queries(context& run, const stored_journal& journal) {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open(":memory:", &opened);
    const database held{opened};
    if (code != SQLITE_OK) {
        throw failure("an SQLite database in memory cannot be opened");
    }
    sqlite3& in = *opened;
    must(pawl::attach_journal(in, journal.directory), "attach a journal to SQLite");
    execute(in, "create table native as select * from filled");

    const std::string sum = "select sum(price) from ";
    std::string since;
    std::string until;
    pawl::append_utc(since, first_ns + journal.events / 2 * step_ns);
    pawl::append_utc(until, first_ns + (journal.events / 2 + journal.events / 1000) * step_ns);
    const std::string of_stream = " where stream = '7'";
    const std::string of_time = fmt::format(" where time >= '{}' and time < '{}'", since, until);

    contest asked("sql");
    const auto add = [&](const char* name, const char* variant, const std::string& table,
                         const std::string& condition) {
        const std::int64_t expected = ask_number(in, sum + "native" + condition);
        return asked.add(
            query(run.asked, in, journal.events, name, variant, sum + table + condition, expected));
    };
    const auto native = add("sqlite, a native table", "sum of a column", "native", "");
    const auto whole = add("pawl", "sum of a column", "filled", "");
    const auto stream = add("pawl", "one stream of 1,000", "filled", of_stream);
    const auto time = add("pawl", "a thousandth of the time", "filled", of_time);
    asked.run(run.asked.few_rounds(), 3, run.progress);

    for (const auto id : {native, whole, stream, time}) {
        run.found.rows.push_back(asked.line(id, {{native}}));
    }
    const bool unreliable = asked.spread({{native}}, figure::mean) > unreliable_spread;
    const auto reach = [&](const char* question, contest::id slow, contest::id fast, double limit) {
        run.found.verdicts.push_back({.question = question,
                                      .reached = asked.ratio(slow, {{fast}}, figure::mean),
                                      .limit = limit,
                                      .at_least = true,
                                      .unreliable = unreliable});
    };
    reach("sum of a column by SQL, speed against a native table", native, whole, 0.5);
    reach("one stream of 1,000 by SQL, times as fast as all", whole, stream, 10);
    reach("a thousandth of the time by SQL, times as fast as all", whole, time, 10);
}

// Runs the program with its output thrown away. A fork would copy the page tables of this process,
// which held a whole SQLite database, and count that as the program's time.
void run_tool(const std::vector<std::string>& words) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (const std::string& word : words) {
        arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    const int code =
        posix_spawn(&child, arguments.front(), &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code != 0) {
        throw failure(fmt::format("{}: {}", words.front(), std::strerror(code)));
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0) {
        throw failure(words.front() + " failed");
    }
}

void ask_dump(context& run, const stored_journal& journal) {
    const auto shape = must(pawl::schema::load(events_bfbs(), "exchange.filled"), "load a schema");
    std::vector<std::vector<std::uint64_t>> payloads;
    flatbuffers::FlatBufferBuilder builder;
    for (std::uint64_t i = 0; i < 65536; ++i) {
        builder.Clear();
        builder.Finish(make_filled(builder, i));
        payloads.emplace_back((builder.GetSize() + 7) / 8);
        std::memcpy(payloads.back().data(), builder.GetBufferPointer(), builder.GetSize());
    }
    const auto print = [&]() -> sample {
        const pinned here(run.asked.writer_core());
        const pawl::json_printer printer{shape};
        std::string text;
        bool right = true;
        const auto start = ticks();
        for (std::uint64_t i = 0; i < journal.events; ++i) {
            text.clear();
            right = printer.print(std::as_bytes(std::span{payloads[i & 65535]}), text) && right;
        }
        if (!right) {
            throw failure("an event cannot be printed");
        }
        return {.events = journal.events, .total_ns = elapsed_ns(start)};
    };
    const auto dump = [&]() -> sample {  // on all cores, as a user runs it
        const auto start = ticks();
        run_tool({PAWL_BENCH_TOOL, "dump", journal.directory.string()});
        return {.events = journal.events, .total_ns = elapsed_ns(start)};
    };
    contest dumps("sql");
    const auto alone =
        dumps.add({.name = "pawl, the JSON printer alone", .variant = "dump", .run = print});
    const auto tool = dumps.add({.name = "pawl dump", .variant = "dump", .run = dump});
    dumps.run(run.asked.few_rounds(), 1, run.progress);
    for (const auto id : {alone, tool}) {
        run.found.rows.push_back(dumps.line(id, {{alone}}));
    }
    run.found.verdicts.push_back(
        {.question = "pawl dump, speed against the JSON printer alone",
         .reached = dumps.ratio(alone, {{tool}}, figure::mean),
         .limit = 0.7,
         .at_least = true,
         .unreliable = dumps.spread({{alone}}, figure::mean) > unreliable_spread});
}

}  // namespace

void ask_sql(context& run) {
    const scratch_directory scratch(run.asked.directory);
    const auto journal =
        store_trades(scratch.path() / "trades", run.asked.quick ? 1'000'000 : 10'000'000);
    ask_queries(run, journal);
    ask_dump(run, journal);
}

}  // namespace bench
