// The order of acknowledgements, checkpoints and publishers.
#include "relayed_journal.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <pawl/journal/consumer.hpp>

using namespace pawl::test;
using pawl::errc;
using namespace std::chrono_literals;
namespace relay = pawl::relay;

namespace {

// Stores what is published, and confirms only as much of it as it is told to.
class slow_sink final : public relay::sink {
  public:
    [[nodiscard]] pawl::result<relay::stored_end> open() override { return held; }
    [[nodiscard]] pawl::result<std::optional<relay::stored_event>> find(
        pawl::sequence_number /*sequence*/) override {
        return std::optional<relay::stored_event>{};
    }
    [[nodiscard]] pawl::result<void> publish(pawl::sequence_number sequence,
                                             const relay::event_message& /*message*/) override {
        CHECK(sequence == published);
        ++published;
        return {};
    }
    [[nodiscard]] pawl::result<pawl::sequence_number> confirmed(
        pawl::sequence_number /*above*/, std::chrono::milliseconds /*timeout*/) override {
        return confirm;
    }

    relay::stored_end held{};
    pawl::sequence_number published = 0;
    pawl::sequence_number confirm = 0;
};

[[nodiscard]] pawl::sequence_number checkpoint(const relayed_journal& journal) {
    return must(pawl::list_consumers(journal.directory())).consumers.at(0).position.point.next;
}

}  // namespace

TEST_CASE("a checkpoint moves over confirmed events only, and never into a batch") {
    const relayed_journal journal;
    journal.fill(300);
    for (const auto& [confirmed, expected] :
         {std::pair{0u, 0u}, {3u, 3u}, {5u, 4u}, {6u, 4u}, {7u, 7u}}) {
        slow_sink sink;
        sink.confirm = confirmed;
        int left = 20;
        const auto report = must(
            relay::run_relay(sink, {.directory = journal.directory(),
                                    .checkpoint = fmt::format("c{}", confirmed),
                                    .stop = [&] { return sink.published > 300 && --left < 0; }}));
        CHECK(sink.published > 300);
        CHECK(report.next == confirmed);
        const auto list = must(pawl::list_consumers(journal.directory())).consumers;
        CHECK(list.back().name == fmt::format("c{}", confirmed));
        CHECK(list.back().position.point.next == expected);
    }
    CHECK(checkpoint(journal) == 0);
}

TEST_CASE(
    "the checkpoint moves to what the stream holds already, also if nothing is left to publish") {
    const relayed_journal journal;
    journal.fill(300);
    for (const std::uint64_t held : {5u, 7u}) {
        slow_sink sink;
        auto events =
            must(pawl::cursor::open(journal.directory(), {.from = pawl::from_sequence{held - 1}}));
        const pawl::event* last = events.next();
        REQUIRE(last != nullptr);
        sink.held = {.next = held,
                     .content_hash = last->content_hash(),
                     .more_in_batch = last->more_in_batch(),
                     .empty = false};
        sink.published = held;
        sink.confirm = held;
        int left = 3;
        const std::string name = fmt::format("h{:03}", held);
        static_cast<void>(must(relay::run_relay(sink, {.directory = journal.directory(),
                                                       .checkpoint = name,
                                                       .stop = [&] { return --left < 0; }})));
        const auto list = must(pawl::list_consumers(journal.directory())).consumers;
        REQUIRE(list.back().name == name);
        CHECK(list.back().position.point.next == (held == 5 ? 0 : held));
    }
}

TEST_CASE("of two publishers of one stream, the server hears one for each place") {
    PAWL_NEED_NATS_SERVER();
    const relayed_journal journal;
    journal.fill(3);
    nats_server server;
    server.start();
    must(relay_once(journal.directory(), to_stream(server)));
    journal.fill(1);
    auto events = must(pawl::cursor::open(journal.directory(), {.from = pawl::from_sequence{3}}));
    const pawl::event* e = events.next();
    REQUIRE(e != nullptr);
    const auto message = to_message(*e, relay::batch_place::alone, {}, {});

    relay::nats_sink first{to_stream(server), facts_of(journal.directory())};
    relay::nats_sink second{to_stream(server), facts_of(journal.directory())};
    REQUIRE(must(first.open()).next == 3);
    REQUIRE(must(second.open()).next == 3);
    must(first.publish(3, message));
    CHECK(must(first.confirmed(3, 5s)) == 4);
    must(second.publish(3, message));
    const auto refused = second.confirmed(3, 5s);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::conflict);
    CHECK(must(second.open()).next == 4);
    CHECK_FALSE(must(second.find(4)));
}

TEST_CASE("the server is asked again for what it did not acknowledge, and takes each event once") {
    PAWL_NEED_NATS_SERVER();
    const relayed_journal journal;
    journal.fill(3000);
    nats_server server;
    server.start();
    auto to = to_stream(server);
    to.timeout = 500ms;
    relay::nats_sink sink{to, facts_of(journal.directory())};
    int failures = 0;
    // Killed while it is being published to, and once it was just reached again.
    std::uint64_t asked = 0;
    const auto report = must(relay::run_relay(sink, {.directory = journal.directory(),
                                                     .checkpoint = "relay",
                                                     .until_end = true,
                                                     .give_up = 20s,
                                                     .stop =
                                                         [&] {
                                                             if (++asked == 4)
                                                                 server.kill();
                                                             return false;
                                                         },
                                                     .on_failure =
                                                         [&](const pawl::error& why) {
                                                             CHECK(relay::may_pass(why.code));
                                                             if (++failures == 2)
                                                                 server.start();
                                                         }}));
    CHECK(failures >= 2);
    CHECK(report.opened >= 2);
    const auto copy = journal.sibling("copy");
    CHECK(must(relay::copy_stream(copy_into(copy, to_stream(server)))).next == report.next);
    CHECK(relayed_journal::digest(copy) == relayed_journal::digest(journal.directory()));
}
