// Snapshots whose state is a FlatBuffers table.
#include "bank_journal.hpp"
#include "ledger_state_generated.h"

#include <catch2/catch.hpp>
#include <support/must.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/replay/restore.hpp>
#include <pawl/replay/snapshot_follower.hpp>
#include <pawl/replay/table_state.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace {

using namespace pawl;
using test::must;

struct kept : bank::ledger {
    static result<void> save(const state& s, snapshot_sink& out) {
        return save_table(out, [&](flatbuffers::FlatBufferBuilder& b) {
            std::vector<flatbuffers::Offset<bank::account_row>> rows;
            for (const auto& [number, each] : s.accounts)
                rows.push_back(bank::Createaccount_row(b, number, each.balance, each.events,
                                                       each.trail, b.CreateString(each.name)));
            return bank::Createledger_rows(b, b.CreateVector(rows));
        });
    }
    static result<state> load(std::span<const std::byte> bytes) {
        const auto table = load_table<bank::ledger_rows>(bytes);
        if (!table)
            return std::unexpected(table.error());
        state s;
        for (const bank::account_row* row : *(*table)->accounts())
            s.accounts[row->number()] = {row->balance(), row->events(), row->trail(),
                                         row->name()->str()};
        return s;
    }
};

}  // namespace

TEST_CASE("a state is saved as a table and restored from it", "[replay]") {
    const test::temporary_directory directory;
    writer log = bank::open_writer(directory.path());
    bank::random_traffic traffic{41};
    traffic.append(log, 500);
    must(log.sync());
    auto beside = must(snapshot_follower<kept>::start(directory.path(), {}, {.at_stop = true}));
    must(beside.stop());
    traffic.append(log, 20);
    must(log.close());

    const auto back = must(restore<kept>(directory.path()));
    REQUIRE(back.report.used);
    CHECK(back.report.tail_events == 20);
    const auto whole = must(fold<bank::ledger>(directory.path()));
    CHECK(back.state == whole.state);
}

TEST_CASE("bytes that are no such table are malformed", "[replay]") {
    flatbuffers::FlatBufferBuilder b;
    std::vector<flatbuffers::Offset<bank::account_row>> rows;
    for (std::uint64_t n = 0; n < 100; ++n)
        rows.push_back(bank::Createaccount_row(b, n, 5, 1, 2, b.CreateString("name")));
    b.Finish(bank::Createledger_rows(b, b.CreateVector(rows)));
    const std::span whole = std::as_bytes(std::span{b.GetBufferPointer(), b.GetSize()});
    CHECK(must(load_table<bank::ledger_rows>(whole))->accounts()->size() == 100);
    for (std::size_t bytes = 0; bytes < whole.size() / 2; bytes += 4) {
        const auto cut = load_table<bank::ledger_rows>(whole.first(bytes));
        REQUIRE_FALSE(cut);
        CHECK(cut.error().code == errc::malformed);
    }
}
