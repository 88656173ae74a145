#include "bank_journal.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/replay/parallel_fold.hpp>

#include <filesystem>
#include <fstream>

namespace {

namespace fs = std::filesystem;

// The bank's streams are its accounts, and no event of one changes another.
struct ledger : bank::ledger {
    static void merge(state& into, state&& from) { into.accounts.merge(from.accounts); }
};
static_assert(pawl::merges<ledger>);
static_assert(!pawl::merges<bank::ledger>);

// Sums and last values, which can be joined along the log.
struct totals {
    struct state {
        std::uint64_t events = 0;
        std::int64_t balance = 0;
        std::uint64_t last_account = 0;
        std::string last_name;
        friend bool operator==(const state&, const state&) = default;
    };
    using events = bank::ledger::events;
    static state initial() { return {}; }
    static void evolve(state& s, const bank::deposited& e) {
        count(s, e.account());
        s.balance += e.amount();
    }
    static void evolve(state& s, const bank::withdrawn& e) {
        count(s, e.account());
        s.balance -= e.amount();
    }
    static void evolve(state& s, const bank::renamed& e) {
        count(s, e.account());
        s.last_name = e.name()->str();
    }
    static void merge(state& into, state&& later) {
        into.events += later.events;
        into.balance += later.balance;
        if (later.events != 0)
            into.last_account = later.last_account;
        if (!later.last_name.empty())
            into.last_name = later.last_name;
    }

  private:
    static void count(state& s, std::uint64_t account) {
        ++s.events;
        s.last_account = account;
    }
};

// Refuses an event with that amount.
struct strict : ledger {
    std::int64_t refused = -1;
    using ledger::evolve;
    pawl::result<void> evolve(state& s, const bank::deposited& e) const {
        if (e.amount() == refused)
            return pawl::fail(pawl::errc::invalid_argument, "not this one");
        ledger::evolve(s, e);
        return {};
    }
};

template <class Fold>
void same(const pawl::result<pawl::folded<Fold>>& parallel,
          const pawl::result<pawl::folded<Fold>>& sequential) {
    REQUIRE(parallel);
    REQUIRE(sequential);
    CHECK(parallel->state == sequential->state);
    CHECK(parallel->progress.events == sequential->progress.events);
    CHECK(parallel->progress.point == sequential->progress.point);
    CHECK(parallel->progress.digest == sequential->progress.digest);
}

template <class Fold>
void same_failure(const pawl::result<pawl::folded<Fold>>& parallel,
                  const pawl::result<pawl::folded<Fold>>& sequential) {
    REQUIRE_FALSE(parallel);
    REQUIRE_FALSE(sequential);
    CHECK(parallel.error().code == sequential.error().code);
    CHECK(parallel.error().sequence == sequential.error().sequence);
    CHECK(parallel.error().offset == sequential.error().offset);
    CHECK(fs::path{parallel.error().file}.filename() ==
          fs::path{sequential.error().file}.filename());
}

void flip_byte(const fs::path& path, std::uint64_t at) {
    std::fstream file{path, std::ios::in | std::ios::out | std::ios::binary};
    file.seekg(static_cast<std::streamoff>(at));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ 1));
    REQUIRE(file.good());
}

}  // namespace

TEST_CASE("a parallel fold gives the result of the sequential fold, on any number of threads",
          "[replay][concurrency]") {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        pawl::test::temporary_directory directory;
        auto log = bank::open_writer(directory.path());
        // From a part of one segment to many, open, closed, and opened again.
        bank::random_traffic traffic{seed};
        traffic.append(log, seed * seed * 300);
        if (seed % 3 != 0)
            REQUIRE(log.close());
        if (seed % 3 == 2) {
            log = bank::open_writer(directory.path());
            traffic.append(log, 100);
        }
        const auto ledgers = pawl::fold<ledger>(directory.path());
        const auto sums = pawl::fold<totals>(directory.path());
        for (const std::uint32_t threads : {1u, 2u, 3u, 8u}) {
            for (const std::uint64_t window_bytes : {0u, 1u << 20}) {
                const pawl::parallel_options options{
                    .threads = threads, .shards = threads * 5, .window_bytes = window_bytes};
                same(pawl::fold_by_stream<ledger>(directory.path(), {}, options), ledgers);
                same(pawl::fold_by_segment<totals>(directory.path(), {}, options), sums);
            }
        }
    }
}

TEST_CASE("an empty journal folds to the initial state on many threads", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    same(pawl::fold_by_stream<ledger>(directory.path()), pawl::fold<ledger>(directory.path()));
    same(pawl::fold_by_segment<totals>(directory.path()), pawl::fold<totals>(directory.path()));
    REQUIRE(log.close());
    same(pawl::fold_by_stream<ledger>(directory.path()), pawl::fold<ledger>(directory.path()));
    same(pawl::fold_by_segment<totals>(directory.path()), pawl::fold<totals>(directory.path()));
}

TEST_CASE("a segment without its index is still read", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    bank::random_traffic{31}.append(log, 5000);
    REQUIRE(log.close());
    const auto ledgers = pawl::fold<ledger>(directory.path());
    REQUIRE(fs::remove(directory.path() / "0000000002.idx"));
    same(pawl::fold_by_stream<ledger>(directory.path()), ledgers);
    REQUIRE(fs::remove(directory.path() / "0000000000.idx"));
    same(pawl::fold_by_stream<ledger>(directory.path()), ledgers);
}

TEST_CASE("a parallel fold fails at the same event as the sequential fold, with the same error",
          "[replay][concurrency]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    bank::random_traffic traffic{32};
    traffic.append(log, 3000);
    pawl::encoder encode;
    const auto marked = encode.append(log, {.stream = 3}, bank::some_deposit(3, 5000));
    REQUIRE(marked);
    traffic.append(log, 3000);
    REQUIRE(log.close());
    REQUIRE(marked->position.ordinal >= 2);
    const pawl::parallel_options options{.threads = 3};

    SECTION("at an event that evolve refuses") {
        strict by;
        by.refused = 5000;
        const auto sequential = pawl::fold<strict>(directory.path(), by);
        same_failure(pawl::fold_by_stream<strict>(directory.path(), by, options), sequential);
        same_failure(pawl::fold_by_segment<strict>(directory.path(), by, options), sequential);
        CHECK(sequential.error().sequence == marked->sequence);

        // Damage before it is reported first, and damage after it does not count.
        const std::uint64_t here = marked->position.ordinal;
        for (const std::uint64_t ordinal : {here - 1, here + 1}) {
            const auto segment =
                directory.path() / ("000000000" + std::to_string(ordinal) + ".seg");
            flip_byte(segment, 20'000);
            const auto damaged = pawl::fold<strict>(directory.path(), by);
            REQUIRE_FALSE(damaged);
            CHECK(damaged.error().code ==
                  (ordinal < here ? pawl::errc::damaged : pawl::errc::invalid_argument));
            same_failure(pawl::fold_by_stream<strict>(directory.path(), by, options), damaged);
            same_failure(pawl::fold_by_segment<strict>(directory.path(), by, options), damaged);
            flip_byte(segment, 20'000);
        }
    }
    SECTION("at a damaged frame, header or missing segment") {
        for (const std::uint64_t at : {8'192u, 30'000u, 60'000u}) {
            flip_byte(directory.path() / "0000000002.seg", at);
            const auto damaged = pawl::fold<ledger>(directory.path());
            same_failure(pawl::fold_by_stream<ledger>(directory.path(), {}, options), damaged);
            flip_byte(directory.path() / "0000000002.seg", at);
        }
        fs::rename(directory.path() / "0000000002.seg", directory.path() / "kept");
        const auto missing = pawl::fold<ledger>(directory.path());
        same_failure(pawl::fold_by_stream<ledger>(directory.path(), {}, options), missing);
        same_failure(pawl::fold_by_segment<ledger>(directory.path(), {}, options), missing);
        CHECK(missing.error().code == pawl::errc::missing_segment);
        // Another segment in its place does not pass either.
        fs::copy_file(directory.path() / "0000000003.seg", directory.path() / "0000000002.seg");
        const auto other = pawl::fold<ledger>(directory.path());
        REQUIRE_FALSE(other);
        const auto parallel = pawl::fold_by_stream<ledger>(directory.path(), {}, options);
        REQUIRE_FALSE(parallel);
        CHECK(parallel.error().code == other.error().code);
    }
}

TEST_CASE("an invalid number of shards is refused", "[replay]") {
    pawl::test::temporary_directory directory;
    auto log = bank::open_writer(directory.path());
    CHECK_FALSE(pawl::fold_by_stream<ledger>(directory.path(), {}, {.shards = 0}));
    CHECK_FALSE(pawl::fold_by_stream<ledger>(directory.path(), {}, {.shards = 5000}));
}
