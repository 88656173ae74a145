// pawl-exchange as its users run it.
#include "state_bytes.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <pawl/journal/writer.hpp>
#include <pawl/replay/restore.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <thread>

using namespace exchange;
using pawl::test::temporary_directory;

namespace {

const std::string program = PAWL_TOOLS_DIR "/pawl-exchange";

struct outcome {
    int exit_code = -1;
    std::string output;  // both streams

    // The value behind a name at the beginning of a line.
    [[nodiscard]] std::string field(const std::string& name) const {
        std::istringstream lines{output};
        for (std::string line; std::getline(lines, line);)
            if (line.starts_with(name + ' '))
                return line.substr(line.find_first_not_of(' ', name.size()));
        return {};
    }
};

outcome call(const std::string& arguments) {
    outcome result;
    std::FILE* pipe = ::popen((program + ' ' + arguments + " 2>&1").c_str(), "r");
    REQUIRE(pipe);
    std::array<char, 4096> part;
    while (const std::size_t bytes = std::fread(part.data(), 1, part.size(), pipe))
        result.output.append(part.data(), bytes);
    const int status = ::pclose(pipe);
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
}

std::string write_file(const std::filesystem::path& path, const std::string& text) {
    std::ofstream{path} << text;
    return path.string();
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream in{path};
    return {std::istreambuf_iterator<char>{in}, {}};
}

// The lines that each session got, in their order.
std::map<std::uint64_t, std::string> fills_by_session(const std::filesystem::path& path) {
    std::map<std::uint64_t, std::string> lines;
    std::ifstream in{path};
    for (std::string line; std::getline(in, line);)
        lines[session_of(std::stoull(line))] += line + '\n';
    return lines;
}

}  // namespace

TEST_CASE("wrong usage of the exchange has exit code 2 and help has 0") {
    CHECK(call("").exit_code == 2);
    CHECK(call("run").exit_code == 2);
    CHECK(call("run somewhere").exit_code == 2);
    CHECK(call("run somewhere --commands many").exit_code == 2);
    CHECK(call("run somewhere --commands 1 --sessions 9").exit_code == 2);
    CHECK(call("run somewhere --commands 1 --sessions 0").exit_code == 2);
    CHECK(call("lobster a b").exit_code == 2);
    CHECK(call("--help").exit_code == 0);
    CHECK(call("state --help").exit_code == 0);
}

TEST_CASE("state fails with an error for a directory that is not a journal") {
    const temporary_directory place;
    const outcome missing = call("state " + place.path().string());
    CHECK(missing.exit_code == 1);
    CHECK(missing.output.find("not_a_journal") != std::string::npos);
}

TEST_CASE("a run counts the commands of the runs before it") {
    const temporary_directory place;
    const std::string split = (place.path() / "split").string();
    const std::string whole = (place.path() / "whole").string();
    const outcome first = call("run " + split + " --commands 3000 --seed 5");
    REQUIRE(first.exit_code == 0);
    const outcome second = call("run " + split + " --commands 7000 --seed 5");
    const outcome again = call("run " + split + " --commands 7000 --seed 5");
    const outcome at_once = call("run " + whole + " --commands 7000 --seed 5");
    // A later run does not count commands that the exchange refused.
    CHECK(second.field("continued_behind") == first.field("commands"));
    CHECK(again.field("continued_behind") == second.field("commands"));
    CHECK(std::stoull(first.field("commands")) <= 3000);
    CHECK(std::stoull(first.field("commands")) > 2900);
    // What clients send again is answered from the journal.
    CHECK(first.field("sent_again") == "0");
    CHECK(second.field("sent_again") == std::to_string(4 * 64));
    CHECK(std::stoull(second.field("repeated")) > 64);
    CHECK(again.field("accepted") == "0");
    CHECK(second.field("digest").size() == 16);
    CHECK(second.field("digest") == at_once.field("digest"));
    CHECK(second.field("digest") == again.field("digest"));
    CHECK(call("state " + split).field("digest") == at_once.field("digest"));
    CHECK(call("state " + split + " --full").field("digest") == at_once.field("digest"));
}

TEST_CASE("a run says in words why commands were refused") {
    const temporary_directory place;
    const outcome ran = call("run " + (place.path() / "journal").string() + " --commands 5000");
    CHECK(ran.exit_code == 0);
    CHECK(ran.output.find(" unknown order\n") != std::string::npos);
    CHECK(ran.output.find(" bad quantity\n") != std::string::npos);
}

TEST_CASE("a drop copy gets every trade once, over several runs of both programs") {
    const temporary_directory place;
    const std::string journal = (place.path() / "journal").string();
    std::string copied;
    outcome ran;
    for (const char* commands : {"2000", "2500", "4000"}) {
        ran = call("run " + journal + " --commands " + commands + " --seed 5");
        REQUIRE(ran.exit_code == 0);
        const outcome some = call("drop-copy " + journal);
        REQUIRE(some.exit_code == 0);
        CHECK_FALSE(some.output.empty());
        copied += some.output;
        CHECK(call("drop-copy " + journal).output.empty());
    }
    const auto lines = static_cast<std::uint64_t>(std::ranges::count(copied, '\n'));
    CHECK(lines == std::stoull(ran.field("fills")) + std::stoull(ran.field("busts")));
    CHECK(copied.find(",-") != std::string::npos);  // a bust
    // Another receiver begins at the beginning, and gets the same lines.
    CHECK(call("drop-copy " + journal + " --name auditor").output == copied);
    CHECK(call("drop-copy " + (place.path() / "none").string()).exit_code == 1);
    CHECK(call("drop-copy").exit_code == 2);
}

TEST_CASE("a second run on one journal is refused while the first is running") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    auto log = pawl::writer::open(journal);
    REQUIRE(log);
    const outcome refused = call("run " + journal.string() + " --commands 10");
    CHECK(refused.exit_code == 1);
    CHECK(refused.output.find("locked") != std::string::npos);
}

TEST_CASE("a run that was killed continues and ends where an uninterrupted one does") {
    const temporary_directory place;
    const auto journal = place.path() / "journal";
    const auto fills = (place.path() / "fills").string();
    const auto whole_fills = (place.path() / "whole.fills").string();
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        (void)!std::freopen("/dev/null", "w", stdout);
        ::execl(program.c_str(), program.c_str(), "run", journal.c_str(), "--commands",
                "1000000000", "--seed", "9", "--segment-bytes", "1048576", "--fills", fills.c_str(),
                nullptr);
        ::_exit(127);
    }
    // Killed once its journal holds some thousand commands, whatever time that takes.
    std::uint64_t seen = 0;
    int status = 0;
    while (seen < 5'000 && ::waitpid(child, &status, WNOHANG) == 0) {
        if (const auto now = pawl::restore<engine>(journal))
            seen = now->state.commands();
        std::this_thread::yield();
    }
    REQUIRE(::kill(child, SIGKILL) == 0);
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));

    const outcome found = call("state " + journal.string());
    REQUIRE(found.exit_code == 0);
    const std::uint64_t reached = std::stoull(found.field("commands"));
    CHECK(reached >= seen);
    const std::string all = std::to_string(reached + 4'000);
    const auto run_on = [&](const std::string& where, const std::string& to) {
        return call("run " + where + " --commands " + all + " --seed 9 --sent-again 2000 --fills " +
                    to);
    };
    const outcome continued = run_on(journal.string(), fills);
    CHECK(continued.exit_code == 0);
    CHECK(continued.field("continued_behind") == std::to_string(reached));
    CHECK(std::stoull(continued.field("sent_again")) > 4'000);
    CHECK(std::stoull(continued.field("repeated")) > 2'000);
    const outcome uninterrupted = run_on((place.path() / "whole").string(), whole_fills);
    CHECK(continued.field("digest").size() == 16);
    CHECK(continued.field("digest") == uninterrupted.field("digest"));
    CHECK(call("state --full " + journal.string()).field("digest") ==
          uninterrupted.field("digest"));
    // Every client was told of every fill once, by one process or the other, and in order.
    CHECK(fills_by_session(fills) == fills_by_session(whole_fills));
    CHECK(read_file(fills).size() > 1'000);
}

TEST_CASE("messages are journaled once, replayed, and compared with the published rows") {
    const temporary_directory place;
    const auto journal = (place.path() / "journal").string();
    const auto messages =
        write_file(place.path() / "m.csv", "1,1,1,10,100,1\n2,1,9,5,100,1\n3,4,9,5,100,1\n");
    const auto rows =
        write_file(place.path() / "r.csv", "105,10,100,10\n105,10,100,15\n105,10,100,10\n");
    const std::string arguments = "lobster " + messages + ' ' + rows + " --journal " + journal;
    for (int time = 0; time < 2; ++time) {
        const outcome sound = call(arguments);
        CHECK(sound.exit_code == 0);
        CHECK(sound.field("rows") == "2");
        CHECK(sound.field("mismatches") == "0");
    }
    write_file(rows, "105,10,100,10\n105,10,100,16\n105,10,100,11\n");
    const outcome wrong = call(arguments);
    CHECK(wrong.exit_code == 1);
    CHECK(wrong.field("mismatches") == "1");
    CHECK(wrong.field("mismatch") == "line 2, bid at 100: kept 15, published 16");

    write_file(rows, "105,10,100,10\n105,x,100,15\n105,10,100,10\n");
    const outcome broken = call(arguments);
    CHECK(broken.exit_code == 1);
    CHECK(broken.output.find("line 2, ask size 1: 'x' is not a size") != std::string::npos);
}

TEST_CASE("messages are not mixed with what a journal holds already") {
    const temporary_directory place;
    const auto journal = (place.path() / "journal").string();
    const auto messages = write_file(place.path() / "m.csv", "1,1,1,10,100,1\n2,1,9,5,100,1\n");
    const auto rows = write_file(place.path() / "r.csv", "105,10,100,10\n105,10,100,15\n");
    const std::string arguments = "lobster " + messages + ' ' + rows + " --journal " + journal;
    REQUIRE(call(arguments).exit_code == 0);
    write_file(messages, "1,1,1,10,100,1\n2,1,9,6,100,1\n3,1,9,6,100,1\n");
    const outcome other = call(arguments);
    CHECK(other.exit_code == 1);
    CHECK(other.output.find("does not hold line 2") != std::string::npos);
    CHECK(call("run " + journal + " --commands 10").exit_code == 1);
    CHECK(call("state " + journal).exit_code == 1);

    const auto books = (place.path() / "books").string();
    REQUIRE(call("run " + books + " --commands 1").exit_code == 0);
    CHECK(call("lobster " + messages + ' ' + rows + " --journal " + books).exit_code == 1);
    CHECK(call("run " + books + " --commands 2").exit_code == 0);
}

TEST_CASE("another version is run to find the event at which the books part, and how") {
    const temporary_directory place;
    const std::string journal = place.path() / "journal";
    REQUIRE(call("run " + journal + " --commands 3000").exit_code == 0);
    const outcome same = call("replay-check " + journal + " --every 700 --against " + program);
    CHECK(same.exit_code == 0);
    CHECK(same.field("same") == "true");
    // A version whose books are others after event 1234, in the number of busts.
    const auto other = place.path() / "other";
    write_file(other, "#!/bin/sh\n" + program +
                          " \"$@\" | awk 'NF == 2 && $1 > 1234 && length($2) == 16 "
                          "{ $2 = \"0000000000000000\" } $1 == \"busts\" { $2 += 5 } 1'\n");
    std::filesystem::permissions(other, std::filesystem::perms::owner_all);
    const outcome found =
        call("replay-check " + journal + " --every 700 --against " + other.string());
    CHECK(found.exit_code == 1);
    CHECK(found.field("result").starts_with("the states part at event 1234: "));
    CHECK(found.field("difference").starts_with("state: - busts "));
    CHECK(call("replay-check " + journal + " --against /nowhere/program").exit_code == 1);
    CHECK(call("replay-check " + journal + " --against /bin/false").exit_code == 1);
}

TEST_CASE("the books of an earlier time, and a recording of them that another version is held to") {
    const temporary_directory place;
    const std::string journal = place.path() / "journal";
    const std::string marks = place.path() / "marks";
    REQUIRE(call("run " + journal + " --commands 3000").exit_code == 0);
    const outcome whole = call("state " + journal);
    const outcome end = call("as-of " + journal + " " + whole.field("next_sequence"));
    CHECK(end.field("digest") == whole.field("digest"));
    CHECK(call("as-of " + journal + " 2100-01-01").field("digest") == whole.field("digest"));
    const outcome empty = call("as-of " + journal + " 00:00");
    CHECK(empty.exit_code == 0);
    const outcome earlier = call("as-of " + journal + " 1000");
    CHECK(earlier.exit_code == 0);
    CHECK(earlier.field("digest") != whole.field("digest"));
    CHECK(call("as-of " + journal + " yesterday").exit_code == 1);

    CHECK(call("replay-check " + journal + " " + marks).exit_code == 1);
    REQUIRE(call("replay-check " + journal + " " + marks + " --record --every 500").exit_code == 0);
    const outcome same = call("replay-check " + journal + " " + marks);
    CHECK(same.exit_code == 0);
    CHECK(same.field("same") == "true");
    // The second mark becomes that of other books.
    std::string text = read_file(marks);
    const std::size_t second = text.find("1000 ");
    REQUIRE(second != std::string::npos);
    char& digit = text.at(second + 5);
    digit = digit == '0' ? '1' : '0';
    write_file(marks, text);
    const outcome other = call("replay-check " + journal + " " + marks);
    CHECK(other.exit_code == 1);
    CHECK(other.field("result").starts_with("the states part between the events 500 and 999: "));
}
