// What the control file says of a writer while it runs.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <pawl/journal/status.hpp>

#include <numeric>

using namespace pawl;
using namespace pawl::test;

TEST_CASE("the status counts what the writer has done since it was opened") {
    const temporary_directory home;
    {
        auto log = must(writer::open(home.path(), by_hand()));
        append_numbered(log, 5);
        must(log.close());
    }
    auto log = must(writer::open(home.path(), by_hand()));
    append_numbered(log, 3, 7);
    (void)must(log.sync());
    append_numbered(log, 1, 8);
    must(log.close());

    const journal_status now = must(read_status(home.path()));
    CHECK(now.id == log.id());
    CHECK(now.state == journal_state::closed);
    CHECK_FALSE(now.locked);
    CHECK(now.published == 9);
    CHECK(now.durable == 9);
    CHECK(now.first_sequence == 5);
    CHECK(now.opened_ns > 0);
    CHECK(now.opened_ns <= now.heartbeat_ns);
    CHECK(now.appended_bytes == log.statistics().appended_bytes);
    CHECK(now.streams == 2);
    CHECK(now.syncs == 1);
    CHECK(now.sync_ns >= now.longest_sync_ns);
    CHECK(now.longest_sync_ns > 0);
    CHECK(std::accumulate(now.sync_times.begin(), now.sync_times.end(), std::uint64_t{0}) == 1);
    CHECK(now.counters.empty());
}

TEST_CASE("the status is that of a running writer, and its background updates it") {
    const temporary_directory home;
    auto log = must(writer::open(home.path(), small_segments()));
    const counter accepted = must(log.register_counter("accepted", counter_kind::total));
    const counter queue = must(log.register_counter("queue"));
    append_numbered(log, 100);
    accepted.add(40);
    accepted.add(2);
    queue.set(7);
    journal_status now = must(read_status(home.path()));
    while (now.counters.size() != 2 || now.counters[1].value != 7 || now.segments_ready == 0)
        now = must(read_status(home.path()));
    CHECK(now.locked);
    CHECK(now.state == journal_state::open);
    CHECK(now.published == 100);
    CHECK(now.durable == 0);
    CHECK(now.counters[0].name == "accepted");
    CHECK(now.counters[0].kind == counter_kind::total);
    CHECK(now.counters[0].value == 42);
    CHECK(now.counters[1].name == "queue");
    CHECK(now.counters[1].kind == counter_kind::gauge);
}

TEST_CASE("a counter has one name, and there are 48") {
    const temporary_directory home;
    auto log = must(writer::open(home.path(), by_hand()));
    const counter first = must(log.register_counter("first"));
    first.set(3);
    CHECK(must(log.register_counter("first", counter_kind::total)).value() == 3);
    for (const char* wrong :
         {"", "9lives", "Capital", "with-dash", "a_name_of_forty_bytes_is_just_too_long__"}) {
        const auto refused = log.register_counter(wrong);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == errc::invalid_argument);
    }
    (void)must(log.register_counter("a_name_of_thirty_nine_bytes_is_allowed_"));
    for (int i = 2; i < 48; ++i)
        (void)must(log.register_counter("number_" + std::to_string(i)));
    const auto one_more = log.register_counter("one_more");
    REQUIRE_FALSE(one_more);
    CHECK(one_more.error().code == errc::too_large);
    must(log.close());
    CHECK(must(read_status(home.path())).counters.size() == 48);
    CHECK(must(read_status(home.path())).counters[1].name ==
          "a_name_of_thirty_nine_bytes_is_allowed_");
}

TEST_CASE("nonsense in the control page is read as nonsense, and not beyond it") {
    const temporary_directory home;
    must(must(writer::open(home.path(), by_hand())).close());
    const std::vector<std::byte> ones(4096 - 256, std::byte{0xff});
    overwrite(home.path() / "control", 4096 + 256, ones);
    const journal_status now = must(read_status(home.path()));
    CHECK(now.counters.size() == 48);
    CHECK(now.counters[0].name.size() == 40);
    CHECK(now.syncs == ~std::uint64_t{0});
    std::filesystem::remove(home.path() / "control");
    CHECK(read_status(home.path()).error().code == errc::not_found);
    CHECK(read_status(home.path() / "nothing").error().code == errc::not_a_journal);
}
