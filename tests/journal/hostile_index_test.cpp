// Indexes with valid checksums that do not say what their segments hold: the log decides.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/metadata.hpp>

#include <array>
#include <cstdint>
#include <filesystem>

using namespace pawl;
using namespace pawl::test;

namespace {

constexpr std::uint64_t far_away = std::uint64_t{1} << 34;

// A closed journal of one segment that holds a name and three events of its stream.
class named_journal {
  public:
    named_journal() {
        auto log = must(writer::open(path(), small_segments()));
        stream = must(log.stream("orders"));
        append_numbered(log, 3, stream);
        id = log.id();
        must(log.close());
    }
    [[nodiscard]] std::filesystem::path path() const { return home_.path() / "j"; }
    [[nodiscard]] detail::segment_index index() const {
        return must(detail::read_index(path(), id, 0));
    }
    void replace(const detail::segment_index& index) const {
        must(detail::write_index(path(), index));
        REQUIRE(detail::read_index(path(), id, 0));
    }
    [[nodiscard]] std::uint64_t events_of_stream() const {
        return must(must(cursor::open(path(), {.stream = stream})).for_each([](const event&) {}));
    }
    // Of the stream's event of that version.
    [[nodiscard]] std::uint64_t offset_of(stream_version version) const {
        auto events = must(cursor::open(path(), {.from = from_version{version}, .stream = stream}));
        const event* first = events.next();
        REQUIRE(first != nullptr);
        return first->position().offset;
    }

    stream_id stream = no_stream_id;
    journal_id id{};

  private:
    temporary_directory home_;
};

}  // namespace

TEST_CASE("find_stream does not follow an index out of its segment") {
    const named_journal journal;
    auto index = journal.index();
    REQUIRE(index.names.size() == 1);
    SECTION("past the end of the file") {
        index.header.end_offset = 2 * far_away;
        index.names[0].offset = far_away;
    }
    SECTION("to where no header fits") {
        index.header.end_offset = 65536;
        index.names[0].offset = 65536 - 8;
    }
    SECTION("to a frame that is not a name") {
        index.names[0].offset = index.streams[0].last_offset();
    }
    journal.replace(index);
    // The log decides: a name that the index lacks is searched in the frames.
    CHECK(must(find_stream(journal.path(), "orders")) == journal.stream);
    CHECK_FALSE(must(find_stream(journal.path(), "trades")));
}

TEST_CASE("a cursor reads the log where its index is wrong") {
    const named_journal journal;
    auto index = journal.index();
    REQUIRE(index.streams.size() == 1);
    SECTION("an offset past the end of the file") {
        index.header.end_offset = 2 * far_away;
        index.streams[0].last = far_away / 8;
        for (auto& mark : index.marks)
            mark.offset = far_away;
    }
    SECTION("an offset of another event of the stream") {
        index.streams[0].last = static_cast<std::uint32_t>(journal.offset_of(1) / 8);
    }
    SECTION("an offset inside a frame") {
        index.streams[0].last += 1;
    }
    SECTION("another end frame") {
        ++index.header.end_hash;
    }
    SECTION("another successor") {
        ++index.header.successor_epoch;
    }
    SECTION("sequences that the segment does not hold") {
        index.header.first_sequence += 100;
        index.header.end_sequence += 100;
    }
    SECTION("another life of the segment") {
        ++index.header.epoch;
    }
    journal.replace(index);
    CHECK(journal.events_of_stream() == 3);
    CHECK(read_numbered(journal.path(), {.from = from_sequence{1}, .stream = journal.stream}) == 2);
    CHECK(read_numbered(journal.path()) == 3);
    CHECK(read_numbered(journal.path(), {.show = visibility::durable}) == 3);
    CHECK(read_numbered(journal.path(), {.from = from_sequence{2}}) == 1);
    CHECK(must(verify(journal.path())).sound());
}

TEST_CASE("a writer that builds stream heads again believes the log and not a wrong index") {
    const named_journal journal;
    auto index = journal.index();
    REQUIRE(index.streams.size() == 1);
    SECTION("another version") {
        index.streams[0].version = 7;
    }
    SECTION("another stream") {
        ++index.streams[0].stream;
    }
    SECTION("another offset") {
        index.streams[0].last = static_cast<std::uint32_t>(journal.offset_of(1) / 8);
    }
    SECTION("a name that is not there") {
        index.names[0].offset = index.streams[0].last_offset();
    }
    SECTION("an offset past the end of the file") {
        index.header.end_offset = 2 * far_away;
        index.streams[0].last = far_away / 8;
    }
    journal.replace(index);
    std::filesystem::remove(journal.path() / "streams");
    auto log = must(writer::open(journal.path(), small_segments()));
    CHECK(must(log.stream("orders")) == journal.stream);
    CHECK(log.version(journal.stream) == 3);
    CHECK(log.version(journal.stream + 1) == 0);
    append_numbered(log, 1, journal.stream);
    must(log.close());
    CHECK(must(verify(journal.path(), {.deep = true})).sound());
    CHECK(journal.events_of_stream() == 4);
}

namespace {

// Closed; the command's id is all zeros, and its one event says "paid".
journal_id make_journal_of_one_command(const std::filesystem::path& path) {
    const auto command = reference_to({}, bytes_of("pay"));
    const std::array entries{entry_of(command)};
    auto log = must(writer::open(path, small_segments()));
    (void)must(log.append({.type = 1, .metadata = entries}, bytes_of("paid")));
    const journal_id id = log.id();
    must(log.close());
    return id;
}

}  // namespace

TEST_CASE("a writer takes no command from an index that is wrong") {
    const temporary_directory home;
    const auto path = home.path() / "j";
    const journal_id id = make_journal_of_one_command(path);
    auto index = must(detail::read_index(path, id, 0));
    REQUIRE(index.commands.size() == 1);
    SECTION("about where a command lies") {
        index.commands[0].first = 1 << 20;
    }
    SECTION("about how many events it led to") {
        index.commands[0].events = 7;
    }
    SECTION("about where the events begin") {
        index.commands[0].first_sequence = 5;
    }
    must(detail::write_index(path, index));
    auto log = must(writer::open(path, small_segments()));
    const auto known = log.find_command({});
    REQUIRE(known);
    CHECK(known->events == 1);
    CHECK(must(log.read_command({}, [](const event& e) { CHECK(text_of(e) == "paid"); })).first ==
          0);
}

TEST_CASE("verify finds an index that leads to other commands than the log") {
    const temporary_directory home;
    const auto path = home.path() / "j";
    const journal_id id = make_journal_of_one_command(path);
    must(must(writer::open(path, small_segments())).close());
    CHECK(must(verify(path, {.deep = true})).findings.empty());
    SECTION("with another command") {
        auto index = must(detail::read_index(path, id, 0));
        index.commands[0].hash ^= 1;
        must(detail::write_index(path, index));
    }
    SECTION("with a way back to none") {
        auto index = must(detail::read_index(path, id, 1));
        REQUIRE(index.header.commands_back == 1);
        index.header.commands_back = 0;
        must(detail::write_index(path, index));
    }
    const auto report = must(verify(path, {.deep = true}));
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].what.file.ends_with(".idx"));
}
