// `pawl projections` as an operator runs it.
#include "cli_support.hpp"
#include "events.hpp"

#include <catch2/catch.hpp>

#include <pawl/codec/encoder.hpp>
#include <pawl/journal/consumer.hpp>
#include <pawl/sqlite/projector.hpp>

#include <cstdint>
#include <optional>

using namespace pawl::test;
using nlohmann::json;

namespace {

// Version 2 does the same. A negative price fails.
template <std::uint32_t Version>
struct volumes {
    static constexpr std::string_view name = "volumes";
    static constexpr std::uint32_t version = Version;
    using events = pawl::event_list<exchange::filled>;

    static pawl::result<void> create(pawl::projection_tables& to) {
        return to.run("create table {volumes} (instrument integer primary key, volume integer)");
    }
    static pawl::result<void> apply(pawl::projection_tables& to, const exchange::filled& e) {
        if (e.price() < 0)
            return pawl::fail(pawl::errc::malformed, "a negative price");
        return to.run(
            "insert into {volumes} values (?1, ?2) "
            "on conflict do update set volume = volume + ?2",
            e.instrument(), e.quantity());
    }
    static std::uint16_t key(const exchange::filled& e) { return e.instrument(); }
};

struct viewed_journal {
    sample_journal journal;
    temporary_directory home;
    std::string database = home.path() / "views.db";

    void trade(pawl::writer& log, std::uint16_t instrument, std::int64_t price) {
        must(encode.append(log, {}, [&](auto& b) {
            return exchange::Createfilled(b, 1, 2, 3, instrument, exchange::side::buy, price, 10);
        }));
    }
    template <std::uint32_t Version>
    [[nodiscard]] pawl::projector follow() const {
        auto views = must(pawl::projector::open(journal.directory(), database));
        must(views.add<volumes<Version>>(pawl::park_key{}));
        while (must(views.advance(std::chrono::nanoseconds{0}))) {
        }
        return views;
    }
    [[nodiscard]] json list() const {
        const finished_process done = run_pawl({"projections", "--json", database});
        INFO(done.err);
        REQUIRE(done.exit_code == 0);
        return json::parse(done.out)["projections"];
    }
    pawl::encoder encode;
};

}  // namespace

TEST_CASE("projections lists versions, positions and what is parked, beside the projector") {
    viewed_journal viewed;
    pawl::writer log = viewed.journal.open();
    for (const std::int64_t price : {100, -1, 101, 102})
        viewed.trade(log, 7, price);
    viewed.trade(log, 8, 100);
    must(log.sync());
    auto views = viewed.follow<1>();
    viewed.trade(log, 8, 100);
    must(log.sync());

    const json found = viewed.list();
    REQUIRE(found.size() == 1);
    CHECK(found[0]["name"] == "volumes");
    CHECK(found[0]["version"] == 1);
    CHECK(found[0]["state"] == "live");
    CHECK(found[0]["journal"] == viewed.journal.directory());
    CHECK(found[0]["consumer"] == "volumes.v1");
    CHECK(found[0]["next_sequence"] == 5);
    CHECK(found[0]["applied"] == 2);
    CHECK(found[0]["lag_events"] == 1);
    CHECK(found[0]["lag_ns"] > 0);
    CHECK(found[0]["skipped"] == 0);
    CHECK(found[0]["stopped"].is_null());
    REQUIRE(found[0]["parked"].size() == 3);
    CHECK(found[0]["parked"][0]["sequence"] == 1);
    CHECK(found[0]["parked"][0]["key"] == "7");
    CHECK(contains(found[0]["parked"][0]["why"], "a negative price"));
    CHECK(found[0]["parked"][1]["why"].is_null());

    const std::string text = run_pawl({"projections", viewed.database}).out;
    CHECK(contains(text,
                   "projection  volumes, version 1, live\n"
                   "position    sequence 5, 2 events applied, 0 left out\n"
                   "lag         1 events, "));
    CHECK(contains(text, "parked      key 7: 3 events from sequence 1 on: "));
    CHECK(contains(text, "as consumer volumes.v1"));

    const finished_process refused =
        run_pawl({"projections", "drop-parked", viewed.database, "volumes", "7"});
    CHECK(refused.exit_code == 3);
    CHECK(contains(refused.err, "another projector has the database"));
    must(log.close());
}

TEST_CASE("projections knows no lag behind a journal that ends before the position") {
    viewed_journal viewed;
    for (const int trades : {3, 1}) {
        std::filesystem::remove_all(viewed.journal.directory());
        pawl::writer log = viewed.journal.open();
        for (int i = 0; i < trades; ++i)
            viewed.trade(log, 7, 100);
        must(log.close());
        if (trades == 3)
            must(viewed.follow<1>().close());
    }
    CHECK(viewed.list()[0]["lag_events"].is_null());
    CHECK(contains(run_pawl({"projections", viewed.database}).out, "lag         unknown: "));
}

TEST_CASE("projections retries, leaves out and drops") {
    viewed_journal viewed;
    {
        pawl::writer log = viewed.journal.open();
        viewed.trade(log, 7, -1);
        viewed.trade(log, 8, -1);
        must(log.close());
        must(viewed.follow<1>().close());
    }
    const json asked = json::parse(
        run_pawl({"projections", "retry", "--json", viewed.database, "volumes", "7"}).out);
    CHECK(asked["to_retry"] == 1);
    const finished_process left_out =
        run_pawl({"projections", "drop-parked", viewed.database, "volumes", "8"});
    CHECK(left_out.exit_code == 0);
    CHECK(left_out.out == "1 events of volumes, key 8, are left out from now on\n");
    CHECK(run_pawl({"projections", "drop-parked", viewed.database, "volumes", "8"}).exit_code == 1);
    // It fails again.
    must(viewed.follow<1>().close());
    const json found = viewed.list();
    CHECK(found[0]["skipped"] == 1);
    CHECK(found[0]["parked"].size() == 1);

    CHECK(run_pawl({"projections", "drop", viewed.database, "volumes", "1"}).exit_code == 1);
    must(viewed.follow<2>().close());
    CHECK(viewed.list()[0]["state"] == "old");
    const finished_process dropped =
        run_pawl({"projections", "drop", viewed.database, "volumes", "1", "--json"});
    CHECK(dropped.exit_code == 0);
    CHECK(json::parse(dropped.out)["dropped"] == "volumes");
    CHECK(viewed.list().size() == 1);
    const auto consumers = must(pawl::list_consumers(viewed.journal.directory())).consumers;
    REQUIRE(consumers.size() == 1);
    CHECK(consumers[0].name == "volumes.v2");
}

TEST_CASE("projections refuses what is no database of projections, and changes nothing") {
    const temporary_directory home;
    const std::string path = home.path() / "views.db";
    CHECK(run_pawl({"projections", path}).exit_code == 1);
    CHECK(run_pawl({"projections", "retry", path, "a", "b"}).exit_code == 1);
    CHECK_FALSE(std::filesystem::exists(path));
    CHECK(std::filesystem::is_empty(home.path()));
    CHECK(run_pawl({"projections"}).exit_code == 2);
    CHECK(run_pawl({"projections", "drop", path, "a", "-1"}).exit_code == 2);
}
