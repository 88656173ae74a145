// Journals with events of every version: folds see the newest shapes, in order and numbered.
#include "../codec/ledger_events.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/codec/encoder.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/fold.hpp>
#include <pawl/replay/parallel_fold.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace {

// Balances by account, and what was paid for them.
struct balances {
    struct state {
        std::map<std::uint64_t, std::int64_t> cents;
        std::int64_t fees = 0;
        std::uint64_t opened = 0;
        friend bool operator==(const state&, const state&) = default;
    };
    using events = ledger::events;
    static state initial() { return {}; }
    static void evolve(state& s, const ledger::account_opened&) { ++s.opened; }
    static void evolve(state& s, const ledger::booked& e) { s.cents[e.account()] += e.cents(); }
    static void evolve(state& s, const ledger::fee& e) { s.fees += e.cents(); }
    static void evolve(state&, const ledger::audited&) {}
    static void merge(state& into, state&& from) {
        for (const auto& [account, cents] : from.cents)
            into.cents[account] += cents;
        into.fees += from.fees;
        into.opened += from.opened;
    }
};

// Where each event came from: sequence and part.
struct origins {
    using state = std::vector<std::string>;
    using events = ledger::events;
    static state initial() { return {}; }
    template <class Table>
    static void evolve(state& s, const Table&, const pawl::event& from, pawl::event_part part) {
        s.push_back(std::to_string(from.sequence()) + "." + std::to_string(part.index));
    }
};

template <class Build>
void append(pawl::writer& log, std::uint64_t stream, Build&& build) {
    pawl::encoder encode;
    REQUIRE(encode.append(log, {.stream = stream}, build));
}

// Writes the same history as each version of the program writes it.
void write_versions(pawl::writer& log, int rounds) {
    for (int i = 0; i < rounds; ++i) {
        append(log, 1, [](auto& b) { return ledger::v1::Createopened(b, 1); });
        append(log, 1, [](auto& b) { return ledger::v1::Createnoise(b, 5); });
        append(log, 1, [](auto& b) { return ledger::v1::Createmoved(b, 1, 2, 3); });
        append(log, 2, [](auto& b) { return ledger::v1::Createaudited(b); });
        append(log, 2, [](auto& b) { return ledger::v2::Createbooked(b, 2, 50, 7); });
        append(log, 2, [](auto& b) { return ledger::Createbooked(b, 1, 1); });
        append(log, 3, [](auto& b) { return ledger::v1::Createclosed(b, 3); });
    }
}

pawl::writer open_writer(const std::filesystem::path& directory) {
    auto log = pawl::writer::open(directory,
                                  {.segment_bytes = 64 << 10, .sync = pawl::sync_policy::manual()});
    REQUIRE(log);
    return std::move(*log);
}

}  // namespace

TEST_CASE("a fold over events of three versions gives the same state as events of the newest",
          "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = open_writer(directory.path());
    write_versions(log, 300);
    CHECK(log.statistics().rollovers > 1);
    const balances::state expected{
        .cents = {{1, 300 * -299}, {2, 300 * 350}, {3, 0}}, .fees = 300 * 32, .opened = 300};
    const auto whole = pawl::fold<balances>(directory.path());
    REQUIRE(whole);
    CHECK(whole->state == expected);
    // Dropped events count: the fold's position is the journal's end.
    CHECK(whole->progress.events == 2100);
    CHECK(whole->progress.point.next == 2100);
    const auto by_stream = pawl::fold_by_stream<balances>(directory.path());
    REQUIRE(by_stream);
    CHECK(by_stream->state == expected);
    const auto by_segment = pawl::fold_by_segment<balances>(directory.path());
    REQUIRE(by_segment);
    CHECK(by_segment->state == expected);
    CHECK(by_segment->progress.digest == whole->progress.digest);
}

TEST_CASE("a fold is given the sequence and the part of each event that an old one became",
          "[replay]") {
    STATIC_REQUIRE(pawl::evolves_every_event<balances>);
    STATIC_REQUIRE(pawl::evolves_every_event<origins>);
    pawl::test::temporary_directory directory;
    auto log = open_writer(directory.path());
    write_versions(log, 1);
    const auto whole = pawl::fold<origins>(directory.path());
    REQUIRE(whole);
    CHECK(whole->state ==
          std::vector<std::string>{"0.0", "2.0", "2.1", "2.2", "4.0", "4.1", "5.0", "6.0"});
}
