// The commands that need a program's folds, called as its main would.
#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/must.hpp>
#include <support/temporary_directory.hpp>
#include <unistd.h>

#include <pawl/replay/snapshot_store.hpp>
#include <pawl/replay/tool_main.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using namespace pawl;
using test::must;

struct audited : bank::ledger {
    static std::uint64_t digest(const state& s) {
        std::uint64_t sum = 0;
        for (const auto& [number, each] : s.accounts)
            sum = sum * 31 + number + static_cast<std::uint64_t>(each.balance) * 7 + each.trail;
        return sum;
    }
    static std::vector<state_field> describe(const state& s) {
        std::vector<std::string> lines;
        for (const auto& [number, each] : s.accounts)
            lines.push_back(std::to_string(number) + ": " + std::to_string(each.balance));
        return {{"accounts", std::uint64_t{s.accounts.size()}}, {"account", lines}};
    }
};

// Another program's fold of the same events, with snapshots of its own.
struct doubled : audited {
    static constexpr std::string_view name = "doubled";

    static state initial() { return {}; }
    static void evolve(state& s, const bank::deposited& e) {
        ledger::evolve(s, e);
        s.accounts[e.account()].balance += e.amount();
    }
    static void evolve(state& s, const bank::withdrawn& e) { ledger::evolve(s, e); }
    static void evolve(state& s, const bank::renamed& e) { ledger::evolve(s, e); }
};

struct printed {
    int exit_status = -1;
    std::string out{};
};

// Deposits of 1, 2, ... into account 7, with a snapshot after every tenth.
struct tool {
    test::temporary_directory home;
    std::string directory = home.path() / "j";

    static constexpr sequence_number events = 45;

    tool() {
        writer log = bank::open_writer(directory);
        encoder encode;
        auto store = must(snapshot_store::open(directory, {log.id(), log.id()}, 1, {.keep = 100}));
        audited::state state;
        log_digest digest;
        for (sequence_number n = 0; n < events; ++n)
            must(encode.append(log, {}, bank::some_deposit(7, static_cast<int>(n) + 1)));
        must(log.sync());
        cursor all = must(cursor::open(directory));
        fold_progress progress;
        for (sequence_number next = 10; next < events; next += 10) {
            must(fold_until(all, audited{}, state, progress, next));
            must(store.add(progress.point, progress.digest,
                           [&](snapshot_sink& out) { return audited::save(state, out); }));
        }
        must(log.close());
    }

    // Standard output goes to a file meanwhile.
    template <class... Folds>
    [[nodiscard]] printed call_with(const std::vector<const char*>& words) const {
        std::vector<const char*> all{"program"};
        all.insert(all.end(), words.begin(), words.end());
        const std::string file = home.path() / "out";
        std::fflush(stdout);
        const int kept = ::dup(STDOUT_FILENO);
        REQUIRE(std::freopen(file.c_str(), "w", stdout) != nullptr);
        const int status = tool_main<Folds...>(static_cast<int>(all.size()), all.data());
        std::fflush(stdout);
        ::dup2(kept, STDOUT_FILENO);
        ::close(kept);
        std::ifstream in{file};
        return {status, {std::istreambuf_iterator<char>{in}, {}}};
    }
    [[nodiscard]] printed call(const std::vector<const char*>& words) const {
        return call_with<audited, doubled>(words);
    }
};

[[nodiscard]] bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE_METHOD(tool, "a program prints the state at the end, and an earlier one", "[replay]") {
    const printed end = call({"state", directory.c_str()});
    CHECK(end.exit_status == 0);
    CHECK(contains(end.out, "snapshot           state-v1-00000000000000000040.snap\n"));
    CHECK(contains(end.out, "next_sequence      45\n"));
    CHECK(contains(end.out, "account            7: 1035\n"));
    const printed whole = call({"state", directory.c_str(), "--full"});
    CHECK(contains(whole.out, "snapshot           none\n"));
    CHECK(whole.out.substr(whole.out.find("digest")) == end.out.substr(end.out.find("digest")));

    const printed earlier = call({"as-of", directory.c_str(), "12", "--json"});
    CHECK(earlier.exit_status == 0);
    CHECK(contains(earlier.out, "\"snapshot\": \"state-v1-00000000000000000010.snap\""));
    CHECK(contains(earlier.out, "\"accounts\": 1,"));
    CHECK(contains(earlier.out, "\"account\": [\n    \"7: 78\"\n  ]"));
    CHECK(contains(call({"as-of", directory.c_str(), "2100-01-01"}).out, "7: 1035\n"));
    CHECK(contains(call({"as-of", directory.c_str(), "00:00"}).out, "next_sequence      0\n"));
    CHECK(call({"as-of", directory.c_str(), "46"}).exit_status == 1);
    CHECK(call({"as-of", directory.c_str(), "noon"}).exit_status == 1);
}

TEST_CASE_METHOD(tool, "a program prints the state before an event", "[replay]") {
    const printed inside = call({"state", directory.c_str(), "--before", "12"});
    CHECK(contains(inside.out, "snapshot           state-v1-00000000000000000010.snap\n"));
    CHECK(contains(inside.out, "next_sequence      12\n"));
    CHECK(contains(inside.out, "account            7: 78\n"));
    CHECK(call({"state", directory.c_str(), "--before", "46"}).exit_status == 1);
}

TEST_CASE_METHOD(tool, "a program with several folds is asked for one by its name", "[replay]") {
    const printed other = call({"state", directory.c_str(), "--fold", "doubled"});
    CHECK(other.exit_status == 0);
    CHECK(contains(other.out, "snapshot           none\n"));
    CHECK(contains(other.out, "account            7: 2070\n"));
    CHECK(call({"state", directory.c_str(), "--fold=none"}).exit_status == 2);
}

TEST_CASE_METHOD(tool, "snapshots are listed, and compared with what the fold makes", "[replay]") {
    const printed all = call({"snapshot", "list", directory.c_str()});
    CHECK(all.exit_status == 0);
    CHECK(all.out.starts_with("snapshot           state-v1-00000000000000000040.snap, "));
    const printed sound = call({"snapshot", "verify", directory.c_str()});
    CHECK(sound.exit_status == 0);
    CHECK(contains(sound.out, "sound              state-v1-00000000000000000010.snap"));
    CHECK_FALSE(contains(sound.out, "rejected"));

    // A snapshot that is whole and in its place, of a state that the events do not give.
    cursor until = must(cursor::open(directory));
    audited::state state;
    fold_progress progress;
    must(fold_until(until, audited{}, state, progress, 25));
    auto store = must(snapshot_store::open(directory, until.identity(), 1, {.keep = 100}));
    state.accounts[7].balance += 1;
    must(store.add(progress.point, progress.digest,
                   [&](snapshot_sink& out) { return audited::save(state, out); }));
    const printed wrong = call({"snapshot", "verify", directory.c_str()});
    CHECK(wrong.exit_status == 1);
    CHECK(contains(wrong.out, "rejected           state-v1-00000000000000000025.snap: diverged"));
    CHECK(contains(wrong.out, "sound              state-v1-00000000000000000030.snap"));
    // So does what needs no fold, for a snapshot whose digest is not that of the events.
    progress.digest.add(log_digest{1});
    must(store.add(progress.point, progress.digest,
                   [&](snapshot_sink& out) { return audited::save(state, out); }));
    CHECK(call({"snapshot", "verify", directory.c_str()}).exit_status == 1);
    CHECK(must(check_snapshots<audited>(directory, {}, {.name = "doubled"})).sound.empty());
}

TEST_CASE_METHOD(tool, "a program is held to the states that another recorded", "[replay]") {
    const std::string marks = home.path() / "marks";
    CHECK(call({"replay-check", directory.c_str(), marks.c_str()}).exit_status == 1);
    const printed made =
        call({"replay-check", directory.c_str(), marks.c_str(), "--record", "--every", "10"});
    CHECK(made.exit_status == 0);
    CHECK(contains(made.out, "recorded           5\n"));
    const printed same = call({"replay-check", directory.c_str(), marks.c_str()});
    CHECK(same.exit_status == 0);
    CHECK(contains(same.out, "same               true\n"));
    const printed other =
        call({"replay-check", directory.c_str(), marks.c_str(), "--fold", "doubled"});
    CHECK(other.exit_status == 1);
    CHECK(contains(other.out, "same               false\n"));
}

TEST_CASE_METHOD(tool, "wrong usage has exit status 2, and help 0", "[replay]") {
    for (const std::vector<const char*>& words :
         std::vector<std::vector<const char*>>{{},
                                               {"snapshot"},
                                               {"snapshot", "drop", "x"},
                                               {"states", "x"},
                                               {"state"},
                                               {"state", ""},
                                               {"state", "x", "y"},
                                               {"state", "x", "--record"},
                                               {"state", "x", "--full=yes"},
                                               {"state", "x", "--fold"},
                                               {"as-of", "x"},
                                               {"replay-check", "x", "y", "--every", "0"},
                                               {"replay-check", "x", "y", "--every", "ten"}})
        CHECK(call(words).exit_status == 2);
    for (const std::vector<const char*>& words : std::vector<std::vector<const char*>>{
             {"--help"}, {"snapshot", "--help"}, {"as-of", "--help"}, {"state", "x", "--help"}}) {
        const printed help = call(words);
        CHECK(help.exit_status == 0);
        CHECK(contains(help.out, "usage: program "));
    }
    CHECK(call({"state", "/nowhere"}).exit_status == 1);
}

TEST_CASE("two described states differ in the fields that are not the same", "[replay]") {
    const std::vector<state_field> before{{"events", std::uint64_t{7}},
                                          {"balance", std::int64_t{-5}},
                                          {"order", std::vector<std::string>{"1: open", "2: open"}},
                                          {"owner", std::string{"me"}}};
    std::vector<state_field> after = before;
    CHECK(difference(before, after).empty());
    after[1].value = std::int64_t{40};
    after[2].value = std::vector<std::string>{"2: open", "1: filled"};
    after[3] = {"note", std::string{"x"}};
    CHECK(difference(before, after) ==
          std::vector<std::string>{"balance: -5 -> 40", "order: - 1: open", "order: + 1: filled",
                                   "owner: me -> none", "note: none -> x"});
    after = before;
    after[2].value = std::vector<std::string>{"2: open", "1: open"};
    CHECK(difference(before, after).size() == 1);
}
