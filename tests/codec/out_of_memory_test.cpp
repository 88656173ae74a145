// Each allocation of each call of the codec fails once, first alone, then with all later ones. No
// call throws: it returns out_of_memory, or manages without the memory.
#include "faults/support/refused_allocations.hpp"
#include "ledger_bfbs.hpp"
#include "ledger_events.hpp"
#include "recording_sink.hpp"
#include "schema_text.hpp"
#include "shop_bfbs.hpp"
#include "shop_events.hpp"

#include <catch2/catch.hpp>
#include <support/temporary_directory.hpp>

#include <pawl/codec/catalog.hpp>
#include <pawl/codec/decoder.hpp>
#include <pawl/codec/encoder.hpp>
#include <pawl/codec/field_reader.hpp>
#include <pawl/codec/in_place.hpp>
#include <pawl/codec/json.hpp>
#include <pawl/codec/prepared_event.hpp>
#include <pawl/codec/registration.hpp>
#include <pawl/codec/schema_changes.hpp>
#include <pawl/codec/upcast_scenario.hpp>
#include <pawl/journal/journal.hpp>

#include <optional>
#include <string>
#include <vector>

using pawl::errc;
using pawl::test::answers;
using pawl::test::check_refusals;
using pawl::test::refuse_each_allocation;

namespace {

const std::string long_note(2000, 'n');

auto order() {
    return [](flatbuffers::FlatBufferBuilder& b) {
        return shop::Createorder_placed(b, 1, 2, 3, 4, 5, 6, 7, b.CreateString(long_note));
    };
}

// A journal and its writer, which allocate nothing more once some events are in it.
class open_journal {
  public:
    open_journal() : log_{open(home_.path() / "orders")} { REQUIRE(log_.append({.type = 1}, {})); }
    [[nodiscard]] pawl::writer& log() noexcept { return log_; }
    [[nodiscard]] std::filesystem::path path() const { return home_.path() / "orders"; }

  private:
    static pawl::writer open(const std::filesystem::path& directory) {
        auto log = pawl::writer::open(directory, {.segment_bytes = 256 << 10,
                                                  .sync = pawl::sync_policy::manual(),
                                                  .full = pawl::when_full::fail,
                                                  .background_threads = false});
        REQUIRE(log);
        return std::move(*log);
    }

    pawl::test::temporary_directory home_;
    pawl::writer log_;
};

pawl::schema shop_schema() {
    auto loaded = pawl::schema::load(shop_bfbs(), "shop.order_placed");
    REQUIRE(loaded);
    return std::move(*loaded);
}

struct heedless {
    void operator()(const ledger::account_opened&) {}
    void operator()(const ledger::booked&) {}
    void operator()(const ledger::fee&) {}
    void operator()(const ledger::audited&) {}
};

}  // namespace

TEST_CASE("encoding out of memory", "[codec]") {
    answers got;
    open_journal journal;
    std::optional<pawl::encoder> encode;
    recording_sink sink;
    const auto refused =
        refuse_each_allocation([&] { encode.emplace(16); },
                               [&] { got.heed(encode->encode(order())); }) +
        refuse_each_allocation(
            [] {}, [&] { got.heed(pawl::prepared_event<shop::order_placed>::make(order())); }) +
        refuse_each_allocation([] {},
                               [&] {
                                   // Less than the builder needs while it works.
                                   got.heed(append_in_place(journal.log(), {}, 2100, order()));
                               });
    check_refusals(refused, 8);
    // An encoder may be used again after memory ran out, whatever it was doing.
    pawl::encoder again{16};
    check_refusals(refuse_each_allocation([] {}, [&] { got.heed(again.encode(order())); }), 2);
    CHECK(got.unexplained().empty());
    CHECK(encode->append(sink, {}, order()));
    CHECK(again.append(sink, {}, order()));
}

TEST_CASE("what cannot be decoded keeps its error without memory for a detail", "[codec]") {
    recording_sink sink;
    pawl::encoder encode;
    REQUIRE(encode.append(sink, {}, order()));
    sink.header.schema_version = 9;
    std::vector<errc> codes;
    codes.reserve(100);
    const auto refused =
        refuse_each_allocation([] {},
                               [&] {
                                   pawl::decoder<shop::events> decode{pawl::unknown_events::fail};
                                   const auto done = decode(sink.last(), [](const auto&) {});
                                   codes.push_back(done ? errc::closed : done.error().code);
                               });
    check_refusals(refused, 2);
    CHECK(codes == std::vector<errc>(codes.size(), errc::unknown_event));
}

TEST_CASE("JSON out of memory", "[codec]") {
    answers got;
    const pawl::schema shape = shop_schema();
    recording_sink sink;
    pawl::encoder encode;
    REQUIRE(encode.append(sink, {}, order()));
    std::string text;
    std::optional<pawl::json_parser> parse;
    const pawl::json_printer print{shape};
    const pawl::field_reader fields{shape};
    std::uint64_t refused = refuse_each_allocation(
        [&] { text = std::string{}; }, [&] { got.heed(print.print(sink.payload(), text)); });
    text.clear();
    REQUIRE(print.print(sink.payload(), text));
    refused +=
        refuse_each_allocation([&] { parse.emplace(shape); }, [&] { got.heed((*parse)(text)); });
    std::string field;
    for (std::size_t i = 0; i < fields.count(); ++i)
        refused += refuse_each_allocation([&] { field = std::string{}; },
                                          [&] { got.heed(fields.read(sink.payload(), i, field)); });
    check_refusals(refused, 15);
    CHECK(got.unexplained().empty());
    // A parser goes on after it has run out.
    parse.emplace(shape);
    for (std::int64_t number = 0; number < 12; ++number) {
        {
            const pawl::test::refused_allocation refusing{number};
            got.heed((*parse)(text));
        }
        auto again = (*parse)(text);
        REQUIRE(again);
        CHECK(std::ranges::equal(again->last(8), sink.payload().last(8)));
    }
    CHECK(got.unexplained().empty());
}

TEST_CASE("schemas out of memory", "[codec]") {
    answers got;
    const pawl::schema before =
        schema_of("namespace e; table event { a: int; b: [int]; }", "e.event");
    const pawl::schema after =
        schema_of("namespace e; table event { c: long; b: [int]; }", "e.event");
    pawl::schema named = schema_of("namespace e; table event { c: long; b: [int]; }", "e.event");
    std::uint64_t refused = refuse_each_allocation(
        [] {}, [&] { got.heed(pawl::schema::load(shop_bfbs(), "shop.order_placed")); });
    refused += refuse_each_allocation([] {},
                                      [&] {
                                          auto changes = pawl::compare_schemas(before, after);
                                          got.heed(changes);
                                          if (changes)
                                              for (const pawl::schema_change& each : *changes)
                                                  (void)each.message();
                                      });
    refused += refuse_each_allocation([] {}, [&] { got.heed(named.add_aliases_of(before)); });
    check_refusals(refused, 40);
    CHECK(got.unexplained().empty());
}

TEST_CASE("descriptions out of memory", "[codec]") {
    answers got;
    open_journal journal;
    std::uint64_t refused = refuse_each_allocation(
        [] {}, [&] { got.heed(pawl::register_events<shop::events>(journal.log(), shop_bfbs())); });
    REQUIRE(pawl::register_events<shop::events>(journal.log(), shop_bfbs()));
    // Once more, now that the journal holds descriptions to compare with.
    refused += refuse_each_allocation(
        [] {}, [&] { got.heed(pawl::register_events<shop::events>(journal.log(), shop_bfbs())); });
    REQUIRE(journal.log().sync());
    const auto path = journal.path();
    bool rejected_for_lack_of_memory = false;
    refused += refuse_each_allocation([] {},
                                      [&] {
                                          auto catalog = pawl::event_catalog::load(path);
                                          got.heed(catalog);
                                          rejected_for_lack_of_memory =
                                              rejected_for_lack_of_memory ||
                                              (catalog && !catalog->rejected().empty());
                                      });
    check_refusals(refused, 100);
    CHECK_FALSE(rejected_for_lack_of_memory);
    CHECK(got.unexplained().empty());
}

TEST_CASE("upcasting out of memory", "[codec]") {
    answers got;
    recording_sink old;
    pawl::encoder encode;
    const auto moved = [](auto& b) { return ledger::v1::Createmoved(b, 1, 2, 3); };
    const auto opened = [](auto& b) {
        return ledger::v1::Createopened(b, 1, b.CreateString(long_note));
    };
    REQUIRE(encode.append(old, {}, opened));
    heedless visit;
    std::uint64_t refused =
        refuse_each_allocation([] {},
                               [&] {
                                   pawl::decoder<ledger::events> decode{pawl::unknown_events::fail};
                                   got.heed(decode(old.last(), visit));
                               });
    CHECK(got.unexplained().empty());
    bool wrongly_held = false;
    refused +=
        refuse_each_allocation([] {},
                               [&] {
                                   pawl::upcast_scenario<ledger::events> scenario{ledger_bfbs()};
                                   const auto judged = scenario.given(moved).then_dropped();
                                   wrongly_held = wrongly_held || judged.holds;
                               });
    check_refusals(refused, 20);
    CHECK_FALSE(wrongly_held);
}
