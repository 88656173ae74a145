// `pawl view`: what its page asks for, and what it refuses.
#include "described_journal.hpp"
#include "view_support.hpp"

#include <catch2/catch.hpp>

#include <pawl/replay/subscription.hpp>

#include <algorithm>
#include <functional>

using namespace pawl::test;
using nlohmann::json;

namespace {

// Trades of two accounts, one of them by name, and an event that the journal does not describe.
class traded_journal : public described_journal {
  public:
    traded_journal() {
        const pawl::stream_id account = stream("account/ada", "2026-11-23T09:00");
        accept("2026-11-23T10:00", account, 1, 100);
        fill("2026-11-23T10:00:01", account, 1, 100);
        accept("2026-11-23T10:00:02", 7, 2, 101);
        fill("2026-11-23T10:00:03", 7, 2, 101);
        append("2026-11-23T10:00:04", 999, "a <b>bold</b> payload");
        accept("2026-11-23T10:00:05", account, 3, 102);
    }
};

std::vector<std::string> sequences_of(const json& page) {
    std::vector<std::string> all;
    for (const json& each : page["events"])
        all.push_back(each["sequence"]);
    return all;
}
using sequences = std::vector<std::string>;

void wait_until(const std::function<bool()>& holds) {
    while (!holds())
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
}

}  // namespace

TEST_CASE("view answers only who has the token, on this machine, and only GET") {
    traded_journal journal;
    journal.close();
    running_view view{journal.directory()};
    CHECK(view.path().size() == 34);
    CHECK(view.status("") == 200);
    CHECK(view.status("api/live") == 200);
    CHECK(view.status("nothing") == 404);

    httplib::Client client{"127.0.0.1", view.port()};
    std::string wrong = view.path();
    wrong[5] = wrong[5] == '0' ? '1' : '0';
    for (const std::string& path :
         {std::string{"/"}, std::string{"/api/live"}, std::string{"//"}, wrong, wrong + "api/live",
          view.path().substr(0, 33), "/x" + view.path()}) {
        INFO(path);
        const auto answer = client.Get(path);
        REQUIRE(answer);
        CHECK(answer->status == 403);
        CHECK_FALSE(contains(answer->body, "orders"));
    }

    CHECK(view.status("api/live", {{"Host", "localhost:1234"}}) == 200);
    CHECK(view.status("api/live", {{"Host", "[::1]:1234"}}) == 200);
    CHECK(view.status("api/live", {{"Host", "evil.example"}}) == 403);
    CHECK(view.status("api/live", {{"Host", "127.0.0.1.evil.example"}}) == 403);
    CHECK(view.status("api/live", {{"Host", "evil.example:127.0.0.1"}}) == 403);

    const std::string address = view.path() + "api/live";
    for (const auto& answer :
         {client.Post(address, "x=1", "text/plain"), client.Put(address, "x", "text/plain"),
          client.Delete(address), client.Head(address), client.Options(address)}) {
        REQUIRE(answer);
        CHECK(answer->status == 405);
        CHECK(answer->get_header_value("Allow") == "GET");
    }

    const auto page = view.get("");
    CHECK(contains(page->get_header_value("Content-Security-Policy"), "default-src 'none'"));
    CHECK(page->get_header_value("X-Content-Type-Options") == "nosniff");
    CHECK(page->get_header_value("Cache-Control") == "no-store");
    CHECK(page->get_header_value("Referrer-Policy") == "no-referrer");
    // Nothing of the page comes from elsewhere.
    for (const char* file : {"", "main.js", "page.css", "event.js"}) {
        std::string body = view.get(file)->body;
        REQUIRE_FALSE(body.empty());
        const std::string name_space = "http://www.w3.org/2000/svg";
        for (std::size_t at; (at = body.find(name_space)) != std::string::npos;)
            body.erase(at, name_space.size());
        CHECK_FALSE(contains(body, "//www"));
        CHECK_FALSE(contains(body, "http://"));
        CHECK_FALSE(contains(body, "https://"));
    }
    CHECK(view.interrupt().exit_code == 0);
}

TEST_CASE("view finds events by sequence, time, stream, tag and type") {
    traded_journal journal;
    must(journal.log().append({.type = 3,
                               .schema_version = 9,
                               .timestamp_ns = described_journal::at("2026-11-23T10:00:06"),
                               .tags = pawl::tag_set{42}},
                              bytes_of("tagged")));
    journal.close();
    const running_view view{journal.directory()};
    const auto listed = [&](const std::string& query) {
        return sequences_of(view.json("api/events?" + query));
    };
    CHECK(listed("") == sequences{"0", "1", "2", "3", "4", "5", "6"});
    CHECK(listed("limit=2") == sequences{"5", "6"});
    CHECK(listed("from=2&limit=2") == sequences{"2", "3"});
    CHECK(listed("before=2") == sequences{"0", "1"});
    CHECK(listed("at=2026-11-23T10:00:03").front() == "3");
    CHECK(listed("at=10:00:03.5").front() == "4");
    CHECK(listed("at=2027-01-01") == sequences{});
    CHECK(listed("stream=7") == sequences{"2", "3"});
    CHECK(listed("stream=account/ada") == sequences{"0", "1", "5"});
    CHECK(listed("stream=account/ada&before=5&limit=1") == sequences{"1"});
    CHECK(listed("type=filled&from=0") == sequences{"1", "3"});
    CHECK(listed("type=999") == sequences{"4"});
    CHECK(listed("tag=42") == sequences{"6"});
    CHECK(listed("tag=43") == sequences{});

    const json first = view.json("api/events?from=0&limit=1")["events"][0];
    CHECK(first["type"] == "accepted");
    CHECK(first["stream"]["name"] == "account/ada");
    CHECK(first["version"] == "1");
    CHECK(contains(first["text"], "\"price\":100"));

    for (const char* wrong : {"limit=0", "limit=501", "from=-1", "from=1x", "at=noon", "tag=0",
                              "from=18446744073709551616"}) {
        INFO(wrong);
        const auto answer = view.get(std::string{"api/events?"} + wrong);
        CHECK(answer->status == 400);
        CHECK(json::parse(answer->body)["error"]["code"] == "invalid_argument");
    }
    CHECK(view.status("api/events?stream=nobody") == 404);
    CHECK(view.status("api/events?type=nothing") == 404);
}

TEST_CASE("view shows an event as JSON and as bytes, and explains every byte of its frame") {
    traded_journal journal;
    journal.close();
    const running_view view{journal.directory()};
    for (int sequence = 0; sequence < 6; ++sequence) {
        const json event = view.json("api/event?sequence=" + std::to_string(sequence));
        std::size_t next = 0;
        for (const json& field : event["fields"]) {
            CHECK(field["at"] == next);
            next += field["bytes"].get<std::size_t>();
        }
        CHECK(event["bytes"] == next);
        CHECK(event["hex"].get<std::string>().size() == 2 * next);
    }
    const json filled = view.json("api/event?sequence=1");
    CHECK(filled["type"] == "filled");
    CHECK(json::parse(filled["json"].get<std::string>())["price"] == 100);
    CHECK(filled["time"] == "2026-11-23T10:00:01.000000000Z");
    CHECK(filled["fields"][7]["name"] == "sequence");
    CHECK(filled["fields"][7]["value"] == "1");
    CHECK(filled["hex"].get<std::string>().substr(48, 16) == "0100000000000000");

    const json unknown = view.json("api/event?sequence=4");
    CHECK(unknown["json"].is_null());
    CHECK(contains(unknown["problem"], "does not describe"));
    CHECK(contains(unknown["hex"], "3c623e"));

    CHECK(view.status("api/event") == 400);
    CHECK(view.status("api/event?sequence=first") == 400);
    CHECK(view.status("api/event?sequence=6") == 404);
}

TEST_CASE("view counts events over time by type") {
    traded_journal journal;
    journal.close();
    const running_view view{journal.directory()};
    const auto at = [](const char* time) { return std::to_string(described_journal::at(time)); };
    const json all = view.json("api/density?from=" + at("2026-11-23T10:00") +
                               "&until=" + at("2026-11-23T10:00:06") + "&buckets=3");
    CHECK(all["exact"] == true);
    REQUIRE(all["buckets"].size() == 3);
    for (const json& bucket : all["buckets"])
        CHECK(bucket["events"] == 2);
    CHECK(all["buckets"][1]["first"] == "2");
    CHECK(all["types"][0]["name"] == "accepted");
    CHECK(all["types"][2]["name"] == "type 999");
    CHECK(all["buckets"][2]["types"] == json{1.0, 0, 1.0});

    CHECK(view.json("api/density")["buckets"].size() == 120);
    CHECK(view.status("api/density?buckets=0") == 400);
    CHECK(view.status("api/density?buckets=1001") == 400);
    CHECK(view.status("api/density?from=5&until=5") == 400);
}

TEST_CASE("view samples what is too much to count, and its bounds stay exact") {
    const sample_journal journal;
    constexpr std::uint64_t events = 120'000;
    {
        pawl::writer log =
            must(pawl::writer::open(journal.directory(), {.segment_bytes = 1 << 20,
                                                          .sync = pawl::sync_policy::manual(),
                                                          .clock = pawl::clock_source::caller}));
        for (std::uint64_t i = 0; i < events; ++i)
            must(log.append({.type = static_cast<std::uint16_t>(i < events / 2 ? 1 : 2),
                             .timestamp_ns = 1'000'000 + 10 * i},
                            bytes_of("an event")));
        must(log.close());
    }
    const running_view view{journal.directory()};
    const json found = view.json("api/density?from=1000000&until=2200000&buckets=12");
    CHECK(found["exact"] == false);
    for (std::size_t i = 0; i < 12; ++i) {
        INFO(i);
        CHECK(found["buckets"][i]["events"] == events / 12);
        CHECK(found["buckets"][i]["first"] == std::to_string(i * events / 12));
        CHECK(found["buckets"][i]["types"][i < 6 ? 0 : 1] == double{events / 12});
    }
}

TEST_CASE("view counts what no index lists yet in steps of 256 events") {
    const sample_journal journal;
    constexpr std::uint64_t events = 120'000;
    pawl::writer log =
        must(pawl::writer::open(journal.directory(), {.segment_bytes = 16 << 20,
                                                      .sync = pawl::sync_policy::manual(),
                                                      .clock = pawl::clock_source::caller}));
    for (std::uint64_t i = 0; i < events; ++i)
        must(log.append({.type = static_cast<std::uint16_t>(i < events / 2 ? 1 : 2),
                         .timestamp_ns = 1'000'000 + 10 * i},
                        bytes_of("an event")));
    const running_view view{journal.directory()};
    wait_until([&] { return view.json("api/live")["next"] == std::to_string(events); });
    const json found = view.json("api/density?from=1000000&until=2200000&buckets=12");
    CHECK(found["exact"] == false);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < 12; ++i) {
        INFO(i);
        const auto counted = found["buckets"][i]["events"].get<std::uint64_t>();
        CHECK(counted >= events / 12 - 256);
        CHECK(counted <= events / 12 + 256);
        sum += counted;
        if (i < 5 || i > 6)
            CHECK(found["buckets"][i]["types"][i < 6 ? 0 : 1] == double(counted));
    }
    CHECK(sum == events);
    CHECK(view.json("api/event?sequence=119999")["sequence"] == "119999");
    must(log.close());
}

TEST_CASE("view answers queries that only read") {
    traded_journal journal;
    journal.close();
    const running_view view{journal.directory()};
    const json found =
        view.json("api/sql?query=select%20sequence,price,null,x'0a'%20from%20filled");
    CHECK(found["columns"].size() == 4);
    CHECK(found["rows"] == json{{1, 100, nullptr, "0a"}, {3, 101, nullptr, "0a"}});
    CHECK(found["complete"] == true);
    CHECK(view.json("api/sql?query=select%209007199254740993")["rows"][0][0] == "9007199254740993");
    const json many = view.json(
        "api/sql?query=with%20recursive%20n(i)%20as%20(select%201%20union%20all%20select%20i%2B1%20"
        "from%20n%20limit%202000)%20select%20i%20from%20n");
    CHECK(many["rows"].size() == 1000);
    CHECK(many["complete"] == false);

    const std::string other = journal.sibling("other.db");
    for (const std::string& wrong :
         {std::string{""}, std::string{"selekt"}, std::string{"create%20table%20t(a)"},
          "attach%20'" + other + "'%20as%20o", "vacuum%20into%20'" + other + "'",
          std::string{"pragma%20query_only=0"}, std::string{"select%20load_extension('x')"},
          std::string{"select%201;select%202"}}) {
        INFO(wrong);
        const auto answer = view.get("api/sql?query=" + wrong);
        CHECK(answer->status == 400);
        CHECK(json::parse(answer->body)["error"]["code"] == "invalid_argument");
    }
    CHECK_FALSE(std::filesystem::exists(other));
}

TEST_CASE("view follows a journal that grows, and shows its consumers") {
    traded_journal journal;
    const running_view view{journal.directory()};
    CHECK(view.json("api/live")["next"] == "6");
    CHECK(view.json("api/live")["locked"] == true);
    CHECK(view.json("api/segments")["segments"][0]["state"] == "open");

    const pawl::stream_id bob = journal.stream("account/bob", "2026-11-23T10:00:06");
    journal.accept("2026-11-23T10:00:07", bob, 4, 103);
    must(journal.log().sync());
    wait_until([&] { return view.json("api/live")["next"] == "7"; });
    CHECK(view.json("api/events?limit=1")["events"][0]["stream"]["name"] == "account/bob");
    CHECK(view.json("api/event?sequence=6")["type"] == "accepted");
    CHECK(sequences_of(view.json("api/events?at=10:00:06")) == sequences{"6"});

    auto risk = must(pawl::subscription::open(journal.directory(), "risk", {}));
    const json consumers = view.json("api/live")["consumers"];
    REQUIRE(consumers.size() == 1);
    CHECK(consumers[0]["name"] == "risk");
    CHECK(consumers[0]["lag_events"] == "7");
    CHECK(consumers[0]["held"] == true);
    must(risk.close());
    journal.close();
    wait_until([&] { return view.json("api/segments")["segments"][0]["state"] == "sealed"; });
    CHECK(view.json("api/live")["state"] == "closed");
}

TEST_CASE("view verifies sealed segments and names the damage") {
    const sample_journal journal;
    journal.fill(3000);
    flip_bit(journal.file("0000000001.seg"), 20'000);
    const running_view view{journal.directory()};
    for (const json& each : view.json("api/segments")["segments"])
        CHECK(each["verdict"] == "unchecked");
    (void)view.json("api/check");
    wait_until([&] { return view.json("api/segments")["checking"] == false; });
    const json segments = view.json("api/segments")["segments"];
    REQUIRE(segments.size() > 3);
    CHECK(segments[0]["verdict"] == "sound");
    CHECK(segments[1]["verdict"] == "damaged");
    CHECK(segments[1]["problem"]["code"] == "damaged");
    CHECK(segments[2]["verdict"] == "sound");

    // Before and after the damage everything is there.
    CHECK(view.json("api/event?sequence=0")["sequence"] == "0");
    CHECK(view.json("api/event?sequence=2999")["sequence"] == "2999");
    const std::string damaged = segments[1]["first"];
    const json page = view.json("api/events?from=" + damaged + "&limit=500");
    CHECK(page["problem"]["code"] == "damaged");
    CHECK_FALSE(page["events"].empty());
    CHECK(view.json("api/events?limit=5")["problem"].is_null());
    const json density = view.json("api/density");
    CHECK(density["problem"]["code"] == "damaged");
    CHECK(density["buckets"][0]["events"] > 0);
    CHECK(std::ranges::count_if(density["buckets"], [](const json& bucket) {
              return bucket["events"] > 0 && std::stoull(bucket["first"].get<std::string>()) > 1500;
          }) > 0);
}

TEST_CASE("view shows a segment that is missing, and one that a crash left open") {
    const sample_journal journal;
    journal.fill_and_crash(3000);
    std::filesystem::remove(journal.file("0000000001.seg"));
    const running_view view{journal.directory()};
    const json segments = view.json("api/segments")["segments"];
    CHECK(segments[0]["state"] == "sealed");
    CHECK(segments[1]["state"] == "missing");
    CHECK(segments[2]["state"] == "sealed");
    CHECK(std::ranges::count_if(segments,
                                [](const json& each) { return each["state"] == "torn"; }) == 1);
    CHECK(view.json("api/live")["next"] == "3000");

    // The bars show what lies after the gap, too.
    const json density = view.json("api/density?buckets=20");
    CHECK(density["problem"]["code"] == "missing_segment");
    CHECK(density["buckets"][0]["events"] > 0);
    CHECK(density["buckets"][19]["events"] > 0);
}

TEST_CASE("view says what is wrong with its arguments") {
    const temporary_directory empty;
    CHECK(run_pawl({"view", empty.path()}).exit_code == 3);
    CHECK(run_pawl({"view"}).exit_code == 2);
    CHECK(run_pawl({"view", "--port", "70000", empty.path()}).exit_code == 2);

    const sample_journal journal;
    journal.fill(1);
    const running_view view{journal.directory()};
    const finished_process second =
        run_pawl({"view", "--port", std::to_string(view.port()), journal.directory()});
    CHECK(second.exit_code == 3);
    CHECK(contains(second.err, "cannot listen on 127.0.0.1:" + std::to_string(view.port())));
}
