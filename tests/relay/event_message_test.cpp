// Events as messages, and what is found when a message was changed.
#include "relayed_journal.hpp"

#include <catch2/catch.hpp>
#include <relay/event_message.hpp>

using namespace pawl::test;
using pawl::relay::batch_place;
using pawl::relay::event_message;
using pawl::relay::stored_event;

namespace {

// Calls use(event, message) for each event of the journal.
template <class Use>
void each_message(const std::filesystem::path& directory, Use&& use) {
    auto events = must(pawl::cursor::open(directory, {.names = true}));
    bool follows = false;
    while (const pawl::event* e = events.next()) {
        use(*e, to_message(*e, pawl::relay::place_of(follows, e->more_in_batch()),
                           events.names_before(), events.descriptions_before()));
        follows = e->more_in_batch();
    }
    must(events.finish());
}

}  // namespace

TEST_CASE("an event comes back from its message as it was") {
    const relayed_journal journal;
    journal.fill(40);
    std::uint64_t names = 0;
    std::uint64_t descriptions = 0;
    each_message(journal.directory(), [&](const pawl::event& e, const event_message& message) {
        const stored_event stored = must(stored_event::from(message));
        const pawl::event back = stored.view();
        CHECK(stored.content_hash() == e.content_hash());
        CHECK(back.sequence() == e.sequence());
        CHECK(back.timestamp_ns() == e.timestamp_ns());
        CHECK(back.stream() == e.stream());
        CHECK(back.version() == e.version());
        CHECK(back.type() == e.type());
        CHECK(back.schema_version() == e.schema_version());
        CHECK(back.more_in_batch() == e.more_in_batch());
        CHECK(back.metadata().actor() == e.metadata().actor());
        CHECK(std::ranges::equal(back.metadata().bytes(), e.metadata().bytes()));
        CHECK(std::ranges::equal(back.payload(), e.payload()));
        names += stored.names().size();
        descriptions += stored.descriptions().size();
    });
    CHECK(names == 4);
    CHECK(descriptions == 1);
}

TEST_CASE("a message in which any bit was changed is damaged") {
    const relayed_journal journal;
    journal.fill(10);
    each_message(journal.directory(), [&](const pawl::event& e, const event_message& message) {
        const auto is_found = [&](const event_message& changed) {
            const auto stored = stored_event::from(changed);
            return !stored && stored.error().code == pawl::errc::damaged;
        };
        std::vector<std::byte> payload{message.payload.begin(), message.payload.end()};
        for (std::size_t bit = 0; bit < payload.size() * 8; ++bit) {
            payload[bit / 8] ^= std::byte{1} << bit % 8;
            event_message changed = message;
            changed.payload = payload;
            CHECK(is_found(changed));
            payload[bit / 8] ^= std::byte{1} << bit % 8;
        }
        for (std::string event_message::* text : {&event_message::head, &event_message::metadata}) {
            event_message changed = message;
            for (std::size_t bit = 0; bit < (message.*text).size() * 8; ++bit) {
                char& at = (changed.*text)[bit / 8];
                at = static_cast<char>(at ^ 1 << bit % 8);
                // Capital digits and the unused bits of base64 mean the same event.
                const auto stored = stored_event::from(changed);
                CHECK((stored ? std::ranges::equal(stored->view().payload(), e.payload()) &&
                                    stored->content_hash() == e.content_hash()
                              : stored.error().code == pawl::errc::damaged));
                at = static_cast<char>(at ^ 1 << bit % 8);
            }
        }
        event_message shorter = message;
        shorter.payload = message.payload.first(message.payload.size() - 1);
        CHECK(is_found(shorter));
    });
}

TEST_CASE("messages that nobody published are damaged") {
    for (const char* head :
         {"", "1", "1 2 3 4 5 6 alone", "1 2 3 4 5 6 alone 0123456789abcdef more",
          "1 2 3 4 5 6 lonely 0123456789abcdef", "-1 2 3 4 5 6 alone 0123456789abcdef",
          "1 2 3 4 70000 6 alone 0123456789abcdef", "1 2 3 4 5 6 alone 0123456789abcdef",
          "99999999999999999999 2 3 4 5 6 alone 0123456789abcdef"}) {
        const auto stored = stored_event::from({.head = head});
        REQUIRE_FALSE(stored);
        CHECK(stored.error().code == pawl::errc::damaged);
    }
    // Metadata whose last entry claims more than there is.
    for (const char* metadata : {"AAAA", "BQACAP////8=", "BQAAAAAAAAA=", "!"}) {
        const auto stored = stored_event::from(
            {.head = "1 2 3 4 5 6 alone 0123456789abcdef", .metadata = metadata});
        REQUIRE_FALSE(stored);
        CHECK(stored.error().code == pawl::errc::damaged);
    }
}
