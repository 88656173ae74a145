// `pawl relay`, `restore --nats`, `follow` and `promote` as an operator runs them.
#include "support/nats_server.hpp"
#include "tools/cli_support.hpp"

#include <catch2/catch.hpp>

#include <thread>

using namespace pawl::test;
using nlohmann::json;

namespace {

[[nodiscard]] json reported(std::vector<std::string> words, const nats_server& server) {
    words.insert(words.end(), {"--nats", server.url(), "--stream", "ORDERS", "--json"});
    const finished_process done = run_pawl(std::move(words));
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
    return json::parse(done.out);
}

}  // namespace

TEST_CASE("a journal goes to a stream and comes back, at the command line") {
    if (nats_server::installed().empty()) {
        WARN("skipped: nats-server is not installed");
        return;
    }
    nats_server server;
    server.start();
    const sample_journal journal;
    journal.fill(100);
    const json relayed = reported({"relay", journal.directory(), "--once"}, server);
    CHECK(relayed["published"] == 100);
    CHECK(relayed["next_sequence"] == 100);
    CHECK(relayed["opened"] == 1);
    const json consumers = json::parse(run_pawl({"consumers", journal.directory(), "--json"}).out);
    CHECK(consumers["consumers"][0]["name"] == "relay.orders");
    CHECK(consumers["consumers"][0]["selection"] == "all, for stream ORDERS in NATS");

    const std::string copy = journal.file("../copy").lexically_normal();
    const json restored = reported({"restore", copy}, server);
    CHECK(restored["copied"] == 100);
    CHECK(restored["incomplete"] == 0);
    const std::string backup = journal.file("../backup").lexically_normal();
    const json backed_up =
        json::parse(run_pawl({"backup", journal.directory(), backup, "--json"}).out);
    CHECK(restored["digest"] == backed_up["digest"]);
    CHECK(restored["origin"] != restored["id"]);
    CHECK(reported({"restore", copy}, server)["copied"] == 0);

    process follower{{program, "follow", copy, "--nats", server.url(), "--stream", "ORDERS"}};
    journal.fill(50);
    process relay{
        {program, "relay", journal.directory(), "--nats", server.url(), "--stream", "ORDERS"}};
    const auto events_in_copy = [&] {
        return json::parse(run_pawl({"info", copy, "--json"}).out)["published"].get<int>();
    };
    while (events_in_copy() < 150)
        std::this_thread::yield();
    CHECK(contains(run_pawl({"promote", copy, "--nats", server.url(), "--stream", "ORDERS"}).err,
                   "locked"));
    follower.send(SIGINT);
    CHECK(follower.wait().exit_code == 0);

    const json promoted = reported({"promote", copy}, server);
    CHECK(promoted["sequence"] == 150);
    CHECK(promoted["abandoned"] == 0);
    journal.fill(1);
    const finished_process fenced = relay.wait();
    CHECK(fenced.exit_code == 1);
    CHECK(contains(fenced.err, "diverged: sequence 150: journal " +
                                   promoted["id"].get<std::string>() + " was promoted"));
}

TEST_CASE("a stream needs a server and a name, and only one directory") {
    CHECK(run_pawl({"relay", "orders"}).exit_code == 2);
    CHECK(run_pawl({"relay", "orders", "--nats", "nats://127.0.0.1:1"}).exit_code == 2);
    CHECK(run_pawl({"relay", "orders", "--stream", "ORDERS"}).exit_code == 2);
    CHECK(run_pawl({"restore", "orders"}).exit_code == 2);
    CHECK(run_pawl({"restore", "orders", "--stream", "ORDERS"}).exit_code == 2);
    CHECK(run_pawl({"restore", "a", "b", "--nats", "nats://127.0.0.1:1", "--stream", "ORDERS"})
              .exit_code == 2);
    CHECK(run_pawl({"relay", "nowhere", "--nats", "nats://127.0.0.1:1", "--stream", "ORDERS"})
              .exit_code == 3);
}
