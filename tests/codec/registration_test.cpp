#include "ledger_bfbs.hpp"
#include "ledger_events.hpp"
#include "schema_text.hpp"
#include "shop_bfbs.hpp"
#include "shop_events.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <pawl/codec/registration.hpp>
#include <pawl/journal/journal.hpp>

#include <string>
#include <vector>

using pawl::detail::event_shape;
using pawl::detail::register_shapes;

namespace {

// A journal that a program opens again and again, each time with another release's schema.
class registered_journal {
  public:
    pawl::result<pawl::registration> start(const std::string& text,
                                           std::vector<event_shape> shapes) {
        const auto bfbs = compile_schema(text);
        return with_writer(
            [&](pawl::writer& log) { return register_shapes(log, bfbs, shapes, 0); });
    }
    // With the one event table `shop.order`, type 1.
    pawl::result<pawl::registration> start(const std::string& fields, std::uint16_t version = 1) {
        return start("namespace shop; table order { " + fields + " }",
                     {{1, version, "shop.order"}});
    }
    template <class Act>
    auto with_writer(Act&& act) -> decltype(act(std::declval<pawl::writer&>())) {
        auto log = pawl::writer::open(directory(), {.segment_bytes = 64 << 10,
                                                    .sync = pawl::sync_policy::manual(),
                                                    .full = pawl::when_full::fail,
                                                    .background_threads = false});
        REQUIRE(log);
        auto done = act(*log);
        REQUIRE(log->close());
        return done;
    }
    [[nodiscard]] std::vector<pawl::recorded_description> held() const {
        auto all = pawl::descriptions(directory());
        REQUIRE(all);
        return std::move(*all);
    }
    [[nodiscard]] std::string directory() const { return home_.path() / "orders"; }

  private:
    pawl::test::temporary_directory home_;
};

std::string refusal(const pawl::result<pawl::registration>& outcome) {
    REQUIRE_FALSE(outcome);
    return outcome.error().message();
}

bool mentions(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("registering describes each shape of an event list once", "[codec]") {
    registered_journal journal;
    const auto start = [&] {
        return journal.with_writer([](pawl::writer& log) {
            return pawl::register_events<ledger::events>(log, ledger_bfbs());
        });
    };
    const auto first = start();
    REQUIRE(first);
    CHECK(first->recorded == 10);
    CHECK(first->known == 0);
    const auto held = journal.held();
    REQUIRE(held.size() == 10);
    CHECK(held[0].name == "ledger.v1.opened");
    CHECK(held[1].name == "ledger.account_opened");
    CHECK(held[1].type == 1);
    CHECK(held[1].schema_version == 2);
    CHECK(pawl::schema::load(held[1].bytes)->table() == "ledger.account_opened");

    const auto second = start();
    REQUIRE(second);
    CHECK(second->recorded == 0);
    CHECK(second->known == 10);
    CHECK(journal.held().size() == 10);
}

TEST_CASE("registering another list adds to what the journal describes", "[codec]") {
    registered_journal journal;
    REQUIRE(journal.start("namespace bank; table opened { account: ulong; }",
                          {{40, 1, "bank.opened"}}));
    const auto added = journal.with_writer(
        [](pawl::writer& log) { return pawl::register_events<shop::events>(log, shop_bfbs()); });
    REQUIRE(added);
    CHECK(added->recorded == 3);
    CHECK(journal.held().size() == 4);
}

TEST_CASE("a table that grows within its version is recorded again", "[codec]") {
    registered_journal journal;
    REQUIRE(journal.start("id: ulong;"));
    const auto grown = journal.start("id: ulong; note: string;");
    REQUIRE(grown);
    CHECK(grown->recorded == 1);
    CHECK(journal.held().size() == 2);
}

TEST_CASE("an earlier release of a program opens the journal and records nothing", "[codec]") {
    registered_journal journal;
    REQUIRE(journal.start("id: ulong;"));
    REQUIRE(journal.start("id: ulong; note: string;"));
    const auto back = journal.start("id: ulong;");
    REQUIRE(back);
    CHECK(back->outgrown == 1);
    CHECK(back->recorded == 0);
    CHECK(journal.held().size() == 2);
    // But it must not grow into another direction.
    CHECK(mentions(refusal(journal.start("id: ulong; price: long;")), "field_type_changed"));
}

TEST_CASE("a change that needs a new version is refused with table, field and rule", "[codec]") {
    registered_journal journal;
    REQUIRE(journal.start("id: ulong; price: int;"));
    const std::string why = refusal(journal.start("id: ulong; price: long;"));
    INFO(why);
    CHECK(mentions(why, "shop.order.price: field_type_changed (needs upcast): int became long"));
    CHECK(mentions(why, "type 1, schema version 1"));
    CHECK(mentions(why, journal.directory()));
    CHECK(mentions(refusal(journal.start("id: ulong;")), "field_removed"));
    CHECK(journal.held().size() == 1);
}

TEST_CASE("if one table of a list is refused, none is recorded", "[codec]") {
    registered_journal journal;
    REQUIRE(journal.start("id: ulong;"));
    const auto outcome =
        journal.start("namespace shop; table fresh { id: ulong; } table order { id: uint; }",
                      {{2, 1, "shop.fresh"}, {1, 1, "shop.order"}});
    CHECK(mentions(refusal(outcome), "shop.order.id"));
    CHECK(journal.held().size() == 1);
}

TEST_CASE("a raised version without the old shape is refused", "[codec]") {
    registered_journal journal;
    REQUIRE(journal.start("id: ulong;"));
    const std::string why = refusal(journal.start("id: uint;", 2));
    INFO(why);
    CHECK(mentions(why, "no history converts them to version 2"));
    CHECK(mentions(why, "type 1, schema version 1 (shop.order)"));

    const auto kept = journal.start(
        "namespace shop.v1; table order { id: ulong; } namespace shop; table order { id: uint; }",
        {{1, 1, "shop.v1.order"}, {1, 2, "shop.order"}});
    REQUIRE(kept);
    CHECK(kept->recorded == 2);
}

TEST_CASE("an old shape that no longer is what the journal holds is refused", "[codec]") {
    registered_journal journal;
    REQUIRE(journal.start("id: ulong;"));
    const auto wrong = journal.start(
        "namespace shop.v1; table order { id: uint; } namespace shop; table order { id: uint; }",
        {{1, 1, "shop.v1.order"}, {1, 2, "shop.order"}});
    CHECK(mentions(refusal(wrong), "field_type_changed"));
}

TEST_CASE("a journal that a newer program wrote is refused as unknown", "[codec]") {
    registered_journal journal;
    REQUIRE(journal.start("id: ulong;", 3));
    const auto outcome = journal.start("id: ulong;", 2);
    CHECK(mentions(refusal(outcome), "a newer program wrote the journal"));
    CHECK(outcome.error().code == pawl::errc::unknown_event);
}

TEST_CASE("a table under another type number is refused", "[codec]") {
    registered_journal journal;
    REQUIRE(journal.start("id: ulong;"));
    const auto moved =
        journal.start("namespace shop; table order { id: ulong; }", {{9, 1, "shop.order"}});
    CHECK(mentions(refusal(moved), "shop.order has type number 9"));
}

TEST_CASE("a description that is no schema is named", "[codec]") {
    registered_journal journal;
    journal.with_writer([](pawl::writer& log) {
        return log.describe({.type = 1,
                             .schema_version = 1,
                             .name = "shop.order",
                             .bytes = std::as_bytes(std::span{"an IDL of another codec"})});
    });
    const auto outcome = journal.start("id: ulong;");
    CHECK(mentions(refusal(outcome), "type 1, schema version 1 (shop.order) is no schema"));
    CHECK(outcome.error().code == pawl::errc::malformed);
}
