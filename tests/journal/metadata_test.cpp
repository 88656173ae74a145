// Metadata as a writer accepts it and a reader returns it.
#include "journal_support.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/journal.hpp>

#include <array>

using namespace pawl;
using namespace pawl::test;

namespace {

constexpr metadata_tag own_tag{0x8001};
constexpr metadata_tag later_tag{9};

struct metadata_fixture {
    temporary_directory home;
    std::filesystem::path directory = home.path() / "journal";
    writer log = must(writer::open(directory, small_segments()));

    // "tag=value;" for each entry, then the payload.
    static std::string text_of_all(const event& e) {
        std::string text;
        e.metadata().for_each([&](const metadata_entry& entry) {
            text +=
                std::to_string(static_cast<unsigned>(entry.tag)) + "=" +
                std::string{reinterpret_cast<const char*>(entry.value.data()), entry.value.size()} +
                ";";
        });
        return text + text_of(e);
    }
    [[nodiscard]] std::vector<std::string> read() const {
        std::vector<std::string> found;
        auto events = must(cursor::open(directory));
        (void)must(events.for_each([&](const event& e) { found.push_back(text_of_all(e)); }));
        return found;
    }
    error refused(std::span<const metadata_entry> entries) {
        const event_header header{.type = 1, .metadata = entries};
        const sequence_number before = log.next_sequence();
        auto appended = log.append(header, bytes_of("payload"));
        REQUIRE_FALSE(appended);
        REQUIRE_FALSE(log.reserve(header, 8));
        auto together = must(log.begin_batch(1, 1000));
        CHECK(together.append(header, {}).error().code == appended.error().code);
        CHECK(together.reserve(header, 8).error().code == appended.error().code);
        CHECK(log.next_sequence() == before);
        return appended.error();
    }
};

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(metadata_fixture, "metadata comes back from every way of appending") {
    const std::string id = "sixteen bytes id";
    const std::array entries{metadata_entry{metadata_tag::correlation, bytes_of(id)},
                             metadata_entry{metadata_tag::actor, bytes_of("Ada")},
                             metadata_entry{own_tag, {}}};
    const event_header header{.type = 1, .stream = 5, .metadata = entries};
    const auto placed = must(log.append(header, bytes_of("single")));
    CHECK(text_of_all(log.appended(placed)) == "2=sixteen bytes id;5=Ada;32769=;single");
    (void)must(log.append(header, {}));
    (void)must(log.append({.type = 1, .stream = 5}, bytes_of("plain")));
    {
        auto space = must(log.reserve(header, 100));
        std::memcpy(space.payload().data(), "reserved", 8);
        (void)must(space.commit(8));
    }
    {
        auto space = must(log.reserve(header, 100));
        std::memset(space.payload().data(), 0xff, 100);
    }
    {
        auto together = must(log.begin_batch(3, 3 * (metadata_bytes(entries) + 16)));
        (void)must(together.append(header, bytes_of("first")));
        (void)must(together.append({.type = 1, .stream = 5}, bytes_of("second")));
        auto space = must(together.reserve(header, 16));
        std::memcpy(space.payload().data(), "third", 5);
        (void)must(space.commit(5));
        (void)must(together.commit());
    }
    const std::string front = "2=sixteen bytes id;5=Ada;32769=;";
    const texts wanted{front + "single", front,    "plain",        front + "reserved",
                       front + "first",  "second", front + "third"};
    CHECK(read() == wanted);
    must(log.close());
    CHECK(read() == wanted);
    CHECK(must(verify(directory, {.deep = true})).findings.empty());
    auto of_stream = must(cursor::open(directory, {.stream = 5}));
    REQUIRE(of_stream.next() != nullptr);
    CHECK(of_stream.next()->metadata().correlation().has_value());
}

TEST_CASE_METHOD(metadata_fixture,
                 "metadata that breaks a rule is refused before anything changes") {
    const std::string id = "sixteen bytes id";
    const metadata_entry correlation{metadata_tag::correlation, bytes_of(id)};
    const metadata_entry actor{metadata_tag::actor, bytes_of("Ada")};
    CHECK(refused(std::array{actor, correlation}).code == errc::invalid_argument);
    CHECK(refused(std::array{actor, actor}).code == errc::invalid_argument);
    CHECK(refused(std::array{metadata_entry{}}).code == errc::invalid_argument);
    CHECK(refused(std::array{metadata_entry{metadata_tag::command, bytes_of(id)}}).code ==
          errc::invalid_argument);
    CHECK(refused(std::array{metadata_entry{later_tag, {}}}).code == errc::invalid_argument);
    CHECK(refused(std::array{metadata_entry{own_tag, {}, true}}).code == errc::invalid_argument);
    const std::vector<std::byte> large(std::size_t{17} << 20);
    CHECK(refused(std::array{metadata_entry{own_tag, large}}).code == errc::too_large);
    const std::vector<std::byte> beyond_segment(70'000);
    const std::array entries{metadata_entry{own_tag, beyond_segment}};
    CHECK(log.append({.type = 1, .metadata = entries}, {}).error().code == errc::too_large);
    CHECK(read().empty());
}

TEST_CASE_METHOD(metadata_fixture, "metadata counts against the room of a batch") {
    const std::array entries{metadata_entry{own_tag, bytes_of("0123456789abcdef")}};
    auto together = must(log.begin_batch(1, 16));
    CHECK(together.append({.type = 1, .metadata = entries}, bytes_of("0123456789abcdef"))
              .error()
              .code == errc::too_large);
    CHECK(together.append({.type = 1}, bytes_of("0123456789abcdef")).has_value());
}

TEST_CASE_METHOD(metadata_fixture, "a copy carries metadata that only a newer program writes") {
    auto options = small_segments();
    options.origin = {1};
    options.clock = clock_source::caller;
    writer copy = must(writer::open(home.path() / "copy", options));
    const std::array entries{metadata_entry{later_tag, bytes_of("later")}};
    CHECK(copy.append({.type = 1, .metadata = entries}, {}).has_value());
}
