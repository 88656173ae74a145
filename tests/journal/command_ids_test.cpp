// A command takes effect once: what the writer says to an id that it has seen before.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/metadata.hpp>
#include <pawl/journal/writer.hpp>

#include <array>
#include <cstring>
#include <string>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

[[nodiscard]] message_id id_of(std::uint64_t number) {
    message_id id{};
    std::memcpy(id.data(), &number, sizeof number);
    return id;
}

// A command with an id and bytes, and the entry that names it.
class sent {
  public:
    explicit sent(std::uint64_t number, std::string_view bytes = "pay 5")
        : command_{reference_to(id_of(number), bytes_of(bytes))}, entries_{entry_of(command_)} {}
    sent(const sent&) = delete;
    sent& operator=(const sent&) = delete;

    [[nodiscard]] event_header header(stream_id stream = 1, expect expected = expect::any()) const {
        return {.type = 1, .stream = stream, .expected = expected, .metadata = entries_};
    }
    [[nodiscard]] const message_id& id() const { return command_.id; }
    [[nodiscard]] std::span<const metadata_entry> metadata() const { return entries_; }

  private:
    command_reference command_;
    std::array<metadata_entry, 1> entries_;
};

[[nodiscard]] std::vector<std::string> effects(const writer& log, const message_id& id) {
    std::vector<std::string> texts;
    const auto command =
        must(log.read_command(id, [&](const event& e) { texts.push_back(text_of(e)); }));
    CHECK(command.events == texts.size());
    return texts;
}

[[nodiscard]] errc refused(writer& log, const sent& command, expect expected = expect::any()) {
    const auto placed = log.append(command.header(1, expected), bytes_of("again"));
    REQUIRE(!placed);
    return placed.error().code;
}

}  // namespace

TEST_CASE("a command that is sent again is answered with its first outcome") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path));
    const sent first{7};
    const auto placed = must(log.append(first.header(), bytes_of("paid")));
    const auto again = log.append(first.header(), bytes_of("paid"));
    REQUIRE(!again);
    CHECK(again.error().code == errc::repeated);
    CHECK(again.error().sequence == placed.sequence);
    CHECK(log.next_sequence() == 1);
    const auto known = log.find_command(first.id());
    REQUIRE(known);
    CHECK(known->first == 0);
    CHECK(known->events == 1);
    CHECK(known->position == placed.position);
    CHECK(effects(log, first.id()) == std::vector<std::string>{"paid"});
    CHECK(!log.find_command(id_of(8)));
    CHECK(log.read_command(id_of(8), [](const event&) {}).error().code == errc::not_found);
}

TEST_CASE("an id with other bytes is refused") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path));
    const sent first{7, "pay 5"};
    const sent other{7, "pay 50"};
    (void)must(log.append(first.header(), bytes_of("paid")));
    CHECK(refused(log, other) == errc::command_id_reused);
}

TEST_CASE("a command's id is looked at before its expected version") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path));
    const sent first{7};
    (void)must(log.append(first.header(1, expect::no_stream()), bytes_of("paid")));
    CHECK(refused(log, first, expect::no_stream()) == errc::repeated);
    // A conflict remembers nothing: the command may be decided again.
    const sent second{8};
    CHECK(refused(log, second, expect::no_stream()) == errc::conflict);
    CHECK(!log.find_command(second.id()));
    (void)must(log.append(second.header(1, expect::exactly(1)), bytes_of("paid")));
    CHECK(log.find_command(second.id())->first == 1);
}

TEST_CASE("a batch holds the events of several commands") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path));
    const sent first{1};
    const sent second{2};
    auto events = must(log.begin_batch(8, 4096));
    (void)must(events.append(first.header(), bytes_of("a")));
    (void)must(events.append(first.header(2), bytes_of("b")));
    (void)must(events.append({.type = 1}, bytes_of("of no command")));
    (void)must(events.append(second.header(), bytes_of("c")));
    // Not in the log yet.
    CHECK(!log.find_command(first.id()));
    const auto apart = events.append(first.header(), bytes_of("apart"));
    REQUIRE(!apart);
    CHECK(apart.error().code == errc::invalid_argument);
    const sent other{2, "other bytes"};
    CHECK(events.append(other.header(), bytes_of("x")).error().code == errc::command_id_reused);
    (void)must(events.commit());
    CHECK(effects(log, first.id()) == std::vector<std::string>{"a", "b"});
    CHECK(effects(log, second.id()) == std::vector<std::string>{"c"});
    CHECK(refused(log, first) == errc::repeated);
    CHECK(refused(log, second) == errc::repeated);
}

TEST_CASE("an abandoned batch or reservation leaves no command behind") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path));
    const sent first{1};
    {
        auto events = must(log.begin_batch(2, 4096));
        (void)must(events.append(first.header(), bytes_of("a")));
    }
    CHECK(!log.find_command(first.id()));
    {
        auto place = must(log.reserve(first.header(), 64));
        place.abandon();
    }
    CHECK(!log.find_command(first.id()));
    auto place = must(log.reserve(first.header(), 64));
    place.payload()[0] = std::byte{'r'};
    (void)must(place.commit(1));
    CHECK(effects(log, first.id()) == std::vector<std::string>{"r"});
    const auto again = log.reserve(first.header(), 64);
    REQUIRE(!again);
    CHECK(again.error().code == errc::repeated);
}

TEST_CASE("a reservation in a batch belongs to its command") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path));
    const sent first{1};
    auto events = must(log.begin_batch(2, 4096));
    for (const char text : {'a', 'b'}) {
        auto place = must(events.reserve(first.header(), 8));
        place.payload()[0] = static_cast<std::byte>(text);
        (void)must(place.commit(1));
    }
    (void)must(events.commit());
    CHECK(effects(log, first.id()) == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a command without events is remembered with its outcome") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto log = must(writer::open(path));
    const sent first{1};
    const auto placed = must(log.append_handled(first.metadata(), bytes_of("no funds")));
    CHECK(placed.version == 0);
    CHECK(refused(log, first) == errc::repeated);
    CHECK(log.append_handled(first.metadata(), bytes_of("no funds")).error().code ==
          errc::repeated);
    (void)must(log.read_command(first.id(), [](const event& e) {
        CHECK(e.type() == static_cast<std::uint16_t>(reserved_type::handled));
        CHECK(text_of(e) == "no funds");
    }));
    CHECK(log.append_handled({}, bytes_of("x")).error().code == errc::invalid_argument);
    const sent second{2};
    const std::uint64_t tag = 7;
    const std::array tagged{second.metadata()[0],
                            metadata_entry{metadata_tag::tags, std::as_bytes(std::span{&tag, 1})}};
    CHECK(log.append_handled(tagged, bytes_of("x")).error().code == errc::invalid_argument);
    CHECK_FALSE(log.last_named(tag));
    CHECK(log.append_handled(second.metadata(), bytes_of(std::string(65, 'x'))).error().code ==
          errc::too_large);
}

TEST_CASE("commands are remembered after the writer was opened again") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const std::string filler(3000, 'f');
    constexpr std::uint64_t commands = 100;
    const auto fill = [&](writer& log, std::uint64_t from, std::uint64_t to) {
        for (std::uint64_t number = from; number < to; ++number) {
            const sent command{number};
            auto events = must(log.begin_batch(2, 8192));
            (void)must(events.append(command.header(), bytes_of(std::to_string(number))));
            (void)must(events.append(command.header(), bytes_of(filler)));
            (void)must(events.commit());
        }
    };
    const auto check = [&](writer& log, std::uint64_t to) {
        for (std::uint64_t number = 0; number < to; ++number) {
            const sent command{number};
            CHECK(refused(log, command) == errc::repeated);
            const auto texts = effects(log, command.id());
            REQUIRE(texts.size() == 2);
            CHECK(texts[0] == std::to_string(number));
            const sent other{number, "other"};
            CHECK(refused(log, other) == errc::command_id_reused);
        }
        CHECK(!log.find_command(id_of(to)));
    };
    {
        auto log = must(writer::open(path, small_segments()));
        fill(log, 0, commands);
        check(log, commands);
        SECTION("and closed") {
            must(log.close());
        }
        SECTION("and not closed") {}
    }
    {
        auto log = must(writer::open(path));
        check(log, commands);
        fill(log, commands, commands + 1);
        must(log.close());
    }
    // Segments without commands lie between; the way back leads past them.
    {
        auto log = must(writer::open(path));
        for (int i = 0; i < 60; ++i)
            (void)must(log.append({.type = 2}, bytes_of(filler)));
        must(log.close());
    }
    auto log = must(writer::open(path));
    check(log, commands + 1);
    CHECK(must(verify(path)).sound());
}

TEST_CASE("indexes that are missing cost no command") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const std::string filler(3000, 'f');
    {
        auto log = must(writer::open(path, small_segments()));
        for (std::uint64_t number = 0; number < 60; ++number) {
            const sent command{number};
            (void)must(log.append(command.header(), bytes_of(filler)));
        }
        must(log.close());
    }
    for (const auto& entry : std::filesystem::directory_iterator{path}) {
        if (entry.path().extension() == ".idx")
            std::filesystem::remove(entry.path());
    }
    auto log = must(writer::open(path));
    for (std::uint64_t number = 0; number < 60; ++number)
        CHECK(log.find_command(id_of(number)));
    must(log.close());
    CHECK(must(verify(path)).sound());
}

TEST_CASE("a window of n remembers n commands, also after the writer was opened again") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const writer_options options{.command_window = 10};
    auto log = must(writer::open(path, options));
    for (std::uint64_t number = 0; number < 25; ++number) {
        const sent command{number};
        (void)must(log.append(command.header(), bytes_of("x")));
    }
    const auto check = [](const writer& known) {
        CHECK(!known.find_command(id_of(14)));
        CHECK(known.find_command(id_of(15)));
        CHECK(known.find_command(id_of(24)));
    };
    check(log);
    must(log.close());
    log = must(writer::open(path, options));
    check(log);
    // What is older than the window is as good as new.
    const sent forgotten{14};
    (void)must(log.append(forgotten.header(), bytes_of("y")));
    CHECK(log.find_command(id_of(14))->first == 25);
    CHECK(!log.find_command(id_of(15)));
    must(log.close());
    auto none = must(writer::open(path, {.command_window = 0}));
    CHECK(!none.find_command(id_of(14)));
    (void)must(none.append(forgotten.header(), bytes_of("z")));
}

TEST_CASE("a copy takes an id twice if its original did") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const journal_id origin{1, 2, 3};
    auto copy = must(writer::open(path, {.origin = origin, .clock = clock_source::caller}));
    const sent first{1};
    (void)must(copy.append(first.header(), bytes_of("a")));
    (void)must(copy.append(first.header(), bytes_of("b")));
    CHECK(effects(copy, first.id()) == std::vector<std::string>{"b"});
}
