// A copy becomes the writer.
#include "relayed_journal.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/journal.hpp>

#include <atomic>
#include <thread>

using namespace pawl::test;
using pawl::errc;
namespace relay = pawl::relay;
namespace fs = std::filesystem;

TEST_CASE("a follower stays in step, and only the promoted one is heard") {
    PAWL_NEED_NATS_SERVER();
    const relayed_journal journal;
    journal.fill(100);
    nats_server server;
    server.start();
    must(relay_once(journal.directory(), to_stream(server)));
    const fs::path copy = journal.sibling("copy");
    std::atomic<bool> stop = false;
    auto asked = copy_into(copy, to_stream(server));
    asked.follow = true;
    asked.stop = [&] { return stop.load(); };
    pawl::result<relay::copy_report> followed = relay::copy_report{};
    std::jthread follower{[&] { followed = relay::copy_stream(asked); }};
    journal.fill(100);
    const auto relayed = must(relay_once(journal.directory(), to_stream(server)));
    while (true) {
        const auto seen = pawl::cursor::open(copy);
        if (seen && must(pawl::inspect(copy)).published >= relayed.next)
            break;
        std::this_thread::yield();
    }
    stop = true;
    follower.join();
    CHECK(must(std::move(followed)).next == relayed.next);
    CHECK(relayed_journal::digest(copy) == relayed_journal::digest(journal.directory()));

    const auto done = must(relay::promote(copy_into(copy, to_stream(server))));
    CHECK(done.sequence == relayed.next);
    CHECK(done.abandoned == 0);
    CHECK_FALSE(done.was_there);
    const auto again = must(relay::promote(copy_into(copy, to_stream(server))));
    CHECK(again.was_there);
    CHECK(again.sequence == done.sequence);

    // Both are written: only the promoted one is heard.
    journal.fill(10);
    {
        auto log = relayed_journal::open(copy);
        relayed_journal::append(log, 20, "promoted");
        must(log.close());
    }
    const auto fenced = relay_once(journal.directory(), to_stream(server));
    REQUIRE_FALSE(fenced);
    CHECK(fenced.error().code == errc::diverged);
    CHECK(fenced.error().sequence == done.sequence);
    must(relay_once(copy, to_stream(server)));
    const auto still_fenced = relay_once(journal.directory(), to_stream(server));
    REQUIRE_FALSE(still_fenced);
    CHECK(still_fenced.error().sequence == done.sequence);
    CHECK(still_fenced.error().detail.find("was promoted and took over") != std::string::npos);

    const fs::path second = journal.sibling("second");
    must(relay::copy_stream(copy_into(second, to_stream(server))));
    CHECK(relayed_journal::digest(second) == relayed_journal::digest(copy));
    CHECK(must(pawl::verify(copy, {.deep = true})).sound());
}

TEST_CASE("a batch of which the stream holds only the beginning never was") {
    PAWL_NEED_NATS_SERVER();
    const relayed_journal journal;
    journal.fill(4);  // the next unit is a batch of three
    nats_server server;
    server.start();
    must(relay_once(journal.directory(), to_stream(server)));
    journal.fill(1);
    const fs::path copy = journal.sibling("copy");
    {
        relay::nats_sink sink{to_stream(server), facts_of(journal.directory())};
        const auto end = must(sink.open());
        REQUIRE(end.next == 4);
        auto events =
            must(pawl::cursor::open(journal.directory(), {.from = pawl::from_sequence{4}}));
        const pawl::event* e = events.next();
        must(sink.publish(4, to_message(*e, relay::batch_place::first, {}, {})));
        e = events.next();
        must(sink.publish(5, to_message(*e, relay::batch_place::middle, {}, {})));
        CHECK(must(sink.confirmed(5, std::chrono::seconds{5})) == 6);
    }
    const auto part = must(relay::copy_stream(copy_into(copy, to_stream(server))));
    CHECK(part.next == 4);
    CHECK(part.incomplete == 2);
    const auto done = must(relay::promote(copy_into(copy, to_stream(server))));
    CHECK(done.sequence == 6);
    CHECK(done.abandoned == 2);
    {
        auto events = must(pawl::cursor::open(copy, {.from = pawl::from_sequence{4}}));
        for (const int type : {0xff04, 0xff04, 0xff03}) {
            const pawl::event* e = events.next();
            REQUIRE(e != nullptr);
            CHECK(e->type() == type);
            CHECK(e->more_in_batch() == (type == 0xff04));
        }
    }
    const auto fenced = relay_once(journal.directory(), to_stream(server));
    REQUIRE_FALSE(fenced);
    CHECK(fenced.error().code == errc::diverged);
    {
        auto log = relayed_journal::open(copy);
        relayed_journal::append(log, 20, "promoted");
        must(log.close());
    }
    must(relay_once(copy, to_stream(server)));
    const fs::path second = journal.sibling("second");
    must(relay::copy_stream(copy_into(second, to_stream(server))));
    CHECK(relayed_journal::digest(second) == relayed_journal::digest(copy));
}
