// use_sqlite DIR: appends notes to a new journal and keeps their sum in a database beside it.
#include "note_events.hpp"

#include <sqlite3.h>

#include <pawl/codec/encoder.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/sqlite/projector.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace {

struct priorities {
    static constexpr std::string_view name = "priorities";
    static constexpr std::uint32_t version = 1;
    using events = pawl::event_list<consumer::note>;

    static pawl::result<void> create(pawl::projection_tables& to) {
        return to.run("create table {priorities} (priority integer not null) strict");
    }
    static pawl::result<void> apply(pawl::projection_tables& to, const consumer::note& e) {
        return to.run("insert into {priorities} values (?1)", e.priority());
    }
};

bool append_notes(const char* directory, int count) {
    auto log = pawl::writer::open(directory);
    if (!log)
        return false;
    pawl::encoder encode;
    for (int priority = 1; priority <= count; ++priority) {
        const auto placed = encode.append(*log, {}, [&](auto& builder) {
            return consumer::Createnote(builder, builder.CreateString("again"), priority);
        });
        if (!placed)
            return false;
    }
    return log->close().has_value();
}

bool project(const char* directory, const std::string& database) {
    auto views = pawl::projector::open(directory, database);
    if (!views || !views->add<priorities>(pawl::stop_at_failure{}))
        return false;
    while (true) {
        const auto moved = views->advance(std::chrono::milliseconds{0});
        if (!moved)
            return false;
        if (!*moved)
            return views->close().has_value();
    }
}

int sum_of(const std::string& database) {
    sqlite3* opened = nullptr;
    sqlite3_stmt* query = nullptr;
    int sum = -1;
    if (sqlite3_open_v2(database.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK &&
        sqlite3_prepare_v2(opened, "select sum(priority) from priorities", -1, &query, nullptr) ==
            SQLITE_OK &&
        sqlite3_step(query) == SQLITE_ROW)
        sum = sqlite3_column_int(query, 0);
    sqlite3_finalize(query);
    sqlite3_close(opened);
    return sum;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2)
        return 1;
    const std::string database = std::string{argv[1]} + ".db";
    if (!append_notes(argv[1], 10) || !project(argv[1], database) || sum_of(database) != 55) {
        std::fputs("use_sqlite: the database does not show what the notes add up to\n", stderr);
        return 1;
    }
    return 0;
}
