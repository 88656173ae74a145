// Copies of a journal's directory, made file by file: at rest in any order, and while a writer has
// it open.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"
#include "store/control.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

// Appends over this many rollovers, with the upkeep that is due, and makes it all durable; once the
// writer has been idle for an interval, `control` says so.
void append_over_rollovers(writer& log, std::uint64_t rollovers) {
    const auto until = log.statistics().rollovers + rollovers;
    while (log.statistics().rollovers < until) {
        append_numbered(log, 1);
        must(log.poll());
    }
    append_numbered(log, 5);
    (void)must(log.sync());
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    const auto stored = [&] {
        return must(detail::control_view::open(log.directory(), log.id())).stored_watermark();
    };
    while (stored() < log.published()) {
        must(log.poll());
        REQUIRE(std::chrono::steady_clock::now() < end);
    }
}

std::vector<std::string> names_in(const fs::path& directory) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator{directory})
        if (entry.is_regular_file())
            names.push_back(entry.path().filename());
    std::ranges::sort(names);
    return names;
}

// Whether the file may be missing: it is derived from the log, or matters only to live processes.
bool is_optional(const std::string& name) {
    return name == "control" || name == "streams" || name == "writer.lock" ||
           name.ends_with(".idx");
}

std::uint64_t blocks_in(const fs::path& directory) {
    std::uint64_t blocks = 0;
    for (const auto& entry : fs::recursive_directory_iterator{directory}) {
        struct stat status{};
        REQUIRE(::lstat(entry.path().c_str(), &status) == 0);
        if (S_ISREG(status.st_mode))
            blocks += static_cast<std::uint64_t>(status.st_blocks);
    }
    return blocks;
}

// Reads a copy as far as it goes, after a recovery.
std::uint64_t recovered_events(const fs::path& copy) {
    must(recover(copy));
    CHECK(must(verify(copy)).sound());
    return read_numbered(copy);
}

}  // namespace

TEST_CASE("a directory at rest is whole in a copy of its segments, whatever else was copied") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    std::uint64_t events = 0;
    {
        auto log = must(writer::open(path, by_hand()));
        append_over_rollovers(log, 3);
        events = log.next_sequence();
        SECTION("closed") {
            must(log.close());
        }
        SECTION("and its writer dead") {}
    }
    const auto names = names_in(path);
    REQUIRE(std::ranges::count_if(names, is_optional) >= 5);
    for (std::size_t left_out = 0; left_out <= names.size(); ++left_out) {
        const bool all = left_out == names.size();
        if (!all && !is_optional(names[left_out]))
            continue;
        INFO("without " << (all ? "nothing" : names[left_out]));
        const auto copy = directory.path() / "copy";
        fs::remove_all(copy);
        fs::create_directory(copy);
        for (std::size_t i = 0; i < names.size(); ++i)
            if (i != left_out)
                fs::copy_file(path / names[i], copy / names[i]);
        CHECK(read_numbered(copy) == events);
        CHECK(must(verify(copy)).sound());
        CHECK(recovered_events(copy) == events);
    }
}

TEST_CASE("a copy made while its writer went on opens with a prefix, or says what it looks like") {
    std::size_t refused = 0;
    std::size_t refused_for_control = 0;
    const auto in_name_order = [](std::vector<std::string>&) {};
    const auto backwards = [](std::vector<std::string>& names) { std::ranges::reverse(names); };
    const auto with_last = [](std::string_view last) {
        return [last](std::vector<std::string>& names) {
            std::ranges::stable_partition(names, [&](const auto& name) { return name != last; });
        };
    };
    const std::array<std::function<void(std::vector<std::string>&)>, 5> orders{
        in_name_order, backwards, with_last("control"), with_last("streams"),
        with_last("0000000000.seg")};
    for (std::size_t order = 0; order < orders.size(); ++order) {
        for (const std::uint64_t rollovers : {0, 1}) {
            INFO("order " << order << ", " << rollovers << " rollovers between two files");
            const temporary_directory directory;
            const auto path = directory.path() / "j";
            const auto copy = directory.path() / "copy";
            auto log = must(writer::open(path, by_hand()));
            append_over_rollovers(log, 1);
            const auto copied_at_first = log.next_sequence();
            // As cp does: listed once, copied one by one.
            auto names = names_in(path);
            orders[order](names);
            fs::create_directory(copy);
            for (const auto& name : names) {
                fs::copy_file(path / name, copy / name);
                append_over_rollovers(log, rollovers);
            }
            const auto opened = recover(copy);
            if (opened) {
                CHECK(read_numbered(copy) <= log.next_sequence());
                continue;
            }
            ++refused;
            const std::string said = opened.error().message();
            INFO(said);
            CHECK(said.find("copied file by file while a writer had it open") != said.npos);
            CHECK(said.find("copy it again once the writer has closed") != said.npos);
            if (said.find("delete `control`") == said.npos)
                continue;
            ++refused_for_control;
            fs::remove(copy / "control");
            CHECK(recovered_events(copy) >= copied_at_first);
        }
    }
    CHECK(refused > 2);
    CHECK(refused_for_control > 0);
}

TEST_CASE("recovering a copy made of hard links takes neither bytes nor room from the original") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    const auto copy = directory.path() / "copy";
    make_torn_journal(path, by_hand(), 5);
    fs::copy(path, copy, fs::copy_options::recursive | fs::copy_options::create_hard_links);
    const auto blocks = blocks_in(path);
    const auto bytes = read_bytes(segment(path, 1), 0, fs::file_size(segment(path, 1)));

    const auto report = must(recover(copy));
    CHECK(report.state == found::torn_tail);
    REQUIRE(
        std::ranges::any_of(report.kept, [](const auto& name) { return name.ends_with(".seg"); }));
    // A writer of the original may have to store there: what was allocated must stay.
    CHECK(blocks_in(path) == blocks);
    CHECK(read_bytes(segment(path, 1), 0, bytes.size()) == bytes);
    CHECK(recovered_events(path) == recovered_events(copy));
}
