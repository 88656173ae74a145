// The relay against a server of one node: what it publishes, and what it refuses.
#include "relayed_journal.hpp"

#include <catch2/catch.hpp>
#include <relay/stream_audit.hpp>

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/prune.hpp>

using namespace pawl::test;
using pawl::errc;
namespace relay = pawl::relay;
namespace fs = std::filesystem;

namespace {

// A stream as somebody else makes it.
void add_stream(
    const nats_server& server, const std::string& subject,
    void (*change)(jsStreamConfig&) = [](jsStreamConfig&) {}) {
    natsConnection* connection = nullptr;
    REQUIRE(natsConnection_ConnectTo(&connection, server.url().c_str()) == NATS_OK);
    const relay::connection_handle owner{connection};
    jsCtx* context = nullptr;
    REQUIRE(natsConnection_JetStream(&context, connection, nullptr) == NATS_OK);
    const relay::context_handle js{context};
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    std::array<const char*, 1> subjects{subject.c_str()};
    config.Name = "ORDERS";
    config.Subjects = subjects.data();
    config.SubjectsLen = 1;
    change(config);
    REQUIRE(js_AddStream(nullptr, context, &config, nullptr, nullptr) == NATS_OK);
}

void delete_message(const nats_server& server, std::uint64_t stream_sequence) {
    natsConnection* connection = nullptr;
    REQUIRE(natsConnection_ConnectTo(&connection, server.url().c_str()) == NATS_OK);
    const relay::connection_handle owner{connection};
    jsCtx* context = nullptr;
    REQUIRE(natsConnection_JetStream(&context, connection, nullptr) == NATS_OK);
    const relay::context_handle js{context};
    REQUIRE(js_DeleteMsg(context, "ORDERS", stream_sequence, nullptr, nullptr) == NATS_OK);
}

[[nodiscard]] pawl::error failure_of(const fs::path& directory, const relay::nats_options& to) {
    auto report = relay_once(directory, to);
    REQUIRE_FALSE(report);
    return report.error();
}

}  // namespace

TEST_CASE("a restored journal has the digest of the one that was relayed, and takes its points") {
    PAWL_NEED_NATS_SERVER();
    const relayed_journal journal;
    journal.fill(3000);
    nats_server server;
    server.start();
    const auto report = must(relay_once(journal.directory(), to_stream(server)));
    CHECK(report.published == report.next);
    CHECK(report.first == 0);

    const fs::path copy = journal.sibling("copy");
    const auto copied = must(relay::copy_stream(copy_into(copy, to_stream(server))));
    CHECK(copied.next == report.next);
    CHECK(copied.incomplete == 0);
    CHECK(relayed_journal::digest(copy) == relayed_journal::digest(journal.directory()));
    CHECK(must(pawl::verify(copy, {.deep = true})).sound());

    auto events =
        must(pawl::cursor::open(journal.directory(), {.from = pawl::from_sequence{1234}}));
    REQUIRE(events.next() != nullptr);
    auto there = must(pawl::cursor::open(
        copy, {.from = pawl::from_point{.point = events.point(), .taken_in = events.id()}}));
    CHECK(there.next()->sequence() == 1235);
    CHECK(there.identity().origin == events.id());
    CHECK(there.id() != events.id());
}

TEST_CASE("a relay goes on after the last event that is stored, and its place holds back a prune") {
    PAWL_NEED_NATS_SERVER();
    const relayed_journal journal;
    journal.fill(2000);
    nats_server server;
    server.start();
    const auto first = must(relay_once(journal.directory(), to_stream(server)));
    journal.fill(3000);
    const auto list = must(pawl::list_consumers(journal.directory()));
    REQUIRE(list.consumers.size() == 1);
    CHECK(list.consumers[0].position.point.next == first.next);
    const auto pruned = must(pawl::prune(journal.directory(), {.before = 4000}));
    CHECK(pruned.first_sequence <= first.next);

    const auto second = must(relay_once(journal.directory(), to_stream(server)));
    CHECK(second.first == first.next);
    CHECK(second.published == second.next - first.next);
    CHECK(must(relay_once(journal.directory(), to_stream(server))).published == 0);
    const fs::path copy = journal.sibling("copy");
    CHECK(must(relay::copy_stream(copy_into(copy, to_stream(server)))).next == second.next);
}

TEST_CASE("what a server lost at the end is published again") {
    PAWL_NEED_NATS_SERVER();
    const relayed_journal journal;
    journal.fill(500);
    nats_server server;
    server.start();
    const auto first = must(relay_once(journal.directory(), to_stream(server)));
    server.kill();
    fs::copy(server.store(), journal.sibling("store"), fs::copy_options::recursive);
    server.start();
    journal.fill(500);
    const auto second = must(relay_once(journal.directory(), to_stream(server)));
    server.kill();
    fs::remove_all(server.store());
    fs::copy(journal.sibling("store"), server.store(), fs::copy_options::recursive);
    server.start();
    journal.fill(100);

    const auto third = must(relay_once(journal.directory(), to_stream(server)));
    CHECK(third.first == first.next);
    CHECK(third.next > second.next);
    const fs::path copy = journal.sibling("copy");
    must(relay::copy_stream(copy_into(copy, to_stream(server))));
    CHECK(relayed_journal::digest(copy) == relayed_journal::digest(journal.directory()));
}

TEST_CASE("an event that the server does not take ends the relay with both sizes") {
    PAWL_NEED_NATS_SERVER();
    const relayed_journal journal;
    nats_server server{{.more = "max_payload: 4096"}};
    server.start();
    {
        auto log = relayed_journal::open(journal.directory());
        relayed_journal::append(log, 10);
        must(log.append({.type = 3}, bytes_of(std::string(5000, 'x'))));
        relayed_journal::append(log, 10);
        must(log.close());
    }
    const auto why = failure_of(journal.directory(), to_stream(server));
    CHECK(why.code == errc::too_large);
    CHECK(why.sequence == must(pawl::cursor::open(journal.directory()))
                              .for_each([](const pawl::event& e) -> pawl::result<void> {
                                  if (e.payload().size() == 5000)
                                      return std::unexpected(pawl::error{.sequence = e.sequence()});
                                  return {};
                              })
                              .error()
                              .sequence);
    CHECK(why.size > 5000);
    CHECK(why.size < 5200);
    CHECK(why.limit == 4096);
}

TEST_CASE("streams that cannot hold the journal are refused") {
    PAWL_NEED_NATS_SERVER();
    const relayed_journal journal;
    journal.fill(10);
    const std::string subject = relay::subject_of(facts_of(journal.directory()).origin);
    const auto refusal = [&](void (*change)(jsStreamConfig&)) {
        nats_server server;
        server.start();
        add_stream(server, subject, change);
        const auto why = failure_of(journal.directory(), to_stream(server));
        CHECK(why.code == errc::invalid_argument);
        return why.detail;
    };
    CHECK(refusal([](jsStreamConfig& c) { c.MaxMsgs = 100; }).ends_with("drops messages"));
    CHECK(refusal([](jsStreamConfig& c) {
              c.MaxAge = 1'000'000'000'000;
          }).ends_with("drops messages"));
    CHECK(refusal([](jsStreamConfig& c) {
              c.Storage = js_MemoryStorage;
          }).ends_with("not stored in files"));

    nats_server server;
    server.start();
    auto three = to_stream(server);
    three.replicas = 3;
    CHECK(failure_of(journal.directory(), three).code == errc::invalid_argument);
    must(relay_once(journal.directory(), to_stream(server)));
    const auto few = failure_of(journal.directory(), three);
    CHECK(few.code == errc::invalid_argument);
    CHECK(few.detail.ends_with("has 1 replicas, and 3 were asked for"));

    const relayed_journal other;
    other.fill(10);
    const auto foreign = failure_of(other.directory(), to_stream(server));
    CHECK(foreign.code == errc::invalid_argument);
    CHECK(foreign.detail.find("belongs to another journal") != std::string::npos);
}

TEST_CASE("nothing is published after an event that the journal does not hold") {
    PAWL_NEED_NATS_SERVER();
    const relayed_journal journal;
    journal.fill(100);
    const fs::path other = journal.sibling("other");
    fs::copy(journal.directory(), other, fs::copy_options::recursive);
    const auto shared = must(must(pawl::cursor::open(other)).for_each([](const pawl::event&) {}));
    journal.fill(10);
    nats_server server;
    server.start();
    const auto first = must(relay_once(journal.directory(), to_stream(server)));
    // An older copy of the journal, and one that was written since.
    CHECK(failure_of(other, to_stream(server)).code == errc::diverged);
    {
        auto log = relayed_journal::open(other);
        relayed_journal::append(log, 50, "another");
        must(log.close());
    }
    const auto differs = failure_of(other, to_stream(server));
    CHECK(differs.code == errc::diverged);
    CHECK(differs.sequence == shared);
    const auto audit = must(relay::audit_stream(to_stream(server), {.directory = other}));
    REQUIRE_FALSE(audit.faults.empty());
    CHECK(audit.faults[0].fault == relay::stream_fault::changed);
    CHECK(audit.faults[0].first == shared);
    CHECK(must(relay_once(journal.directory(), to_stream(server))).published == 0);
    CHECK(first.next > 100);
}

TEST_CASE("what a stream does not hold as the journal does is told by its sequences") {
    PAWL_NEED_NATS_SERVER();
    const relayed_journal journal;
    journal.fill(100);
    nats_server server;
    server.start();
    add_stream(server, relay::subject_of(facts_of(journal.directory()).origin));
    must(relay_once(journal.directory(), to_stream(server)));
    journal.fill(10);
    const auto audited = [&] {
        return must(relay::audit_stream(to_stream(server), {.directory = journal.directory()}));
    };
    const auto sound = audited();
    CHECK(sound.faults.empty());
    CHECK(sound.first == 0);
    CHECK(sound.next > 100);
    CHECK(sound.journal_next > sound.next);
    delete_message(server, 52);
    delete_message(server, 51);
    delete_message(server, 71);
    const auto holes = audited();
    REQUIRE(holes.faults.size() == 2);
    CHECK(holes.faults[0].fault == relay::stream_fault::missing);
    CHECK(holes.faults[0].first == 50);
    CHECK(holes.faults[0].end == 52);
    CHECK(holes.faults[1].first == 70);
    CHECK(holes.faults[1].end == 71);
    const auto copied = relay::copy_stream(copy_into(journal.sibling("copy"), to_stream(server)));
    REQUIRE_FALSE(copied);
    CHECK(copied.error().code == errc::damaged);
    CHECK(copied.error().sequence == 52);
}

TEST_CASE("a restore that was interrupted goes on, and never into another journal") {
    PAWL_NEED_NATS_SERVER();
    const relayed_journal journal;
    journal.fill(2000);
    nats_server server;
    server.start();
    must(relay_once(journal.directory(), to_stream(server)));
    const fs::path copy = journal.sibling("copy");
    auto asked = copy_into(copy, to_stream(server));
    int left = 500;
    asked.stop = [&] { return --left < 0; };
    const auto part = must(relay::copy_stream(asked));
    CHECK(part.next > 0);
    CHECK(part.next < 2000);
    const auto rest = must(relay::copy_stream(copy_into(copy, to_stream(server))));
    CHECK(rest.first == part.next);
    CHECK(relayed_journal::digest(copy) == relayed_journal::digest(journal.directory()));

    const auto into_itself = relay::copy_stream(copy_into(journal.directory(), to_stream(server)));
    REQUIRE_FALSE(into_itself);
    CHECK(into_itself.error().code == errc::invalid_argument);
    const relayed_journal other;
    other.fill(10);
    CHECK_FALSE(relay::copy_stream(copy_into(other.directory(), to_stream(server))));
}
