#include "exchange_support.hpp"
#include "order_flow.hpp"
#include "state_bytes.hpp"

#include <catch2/catch.hpp>

#include <cstring>

using namespace exchange;
using namespace exchange::test;

namespace {

exchange_state busy_state() {
    exchange_state s = engine::initial();
    play(s, 5, 3'000);
    return s;
}

pawl::errc code_of(std::span<const std::byte> bytes) {
    const auto read = from_bytes(bytes);
    REQUIRE_FALSE(read);
    return read.error().code;
}

constexpr std::size_t first_book = (4 + engine::sessions + engine::accounts) * 8 + 4;

// Two buying orders at 100 and one at 99 in the first book, after one trade.
std::vector<std::byte> small_state() {
    exchange_state s = engine::initial();
    (void)take(s, limit(side::buy, 100, 1));
    (void)take(s, limit(side::buy, 100, 2));
    (void)take(s, limit(side::buy, 99, 4));
    (void)take(s, by(1, limit(side::sell, 100, 1)));
    (void)take(s, limit(side::buy, 100, 1));
    return to_bytes(s);
}

template <class Number>
void put(std::vector<std::byte>& bytes, std::size_t at, Number number) {
    std::memcpy(bytes.data() + at, &number, sizeof number);
}

}  // namespace

TEST_CASE("a state comes back from its bytes as it was") {
    const exchange_state s = busy_state();
    const auto back = from_bytes(to_bytes(s));
    REQUIRE(back);
    CHECK(to_bytes(*back) == to_bytes(s));
    CHECK(fingerprint(*back) == fingerprint(s));
    CHECK(back->commands() == s.commands());
    CHECK(back->busts > 0);
    for (std::size_t n = 0; n < s.books.size(); ++n) {
        CHECK(queue(back->books[n], side::buy) == queue(s.books[n], side::buy));
        CHECK(queue(back->books[n], side::sell) == queue(s.books[n], side::sell));
        CHECK(back->tapes[n].last() == s.tapes[n].last());
    }
    for (std::size_t n = 0; n < s.accounts.size(); ++n) {
        CHECK(back->accounts[n].balance == s.accounts[n].balance);
        CHECK(back->accounts[n].open == s.accounts[n].open);
    }
}

TEST_CASE("every counter and every order is in the fingerprint") {
    const exchange_state s = busy_state();
    for (const auto counter : {&exchange_state::events, &exchange_state::fills,
                               &exchange_state::filled_quantity, &exchange_state::busts}) {
        exchange_state changed = s;
        ++(changed.*counter);
        CHECK(fingerprint(changed) != fingerprint(s));
    }
    const auto differs = [&](const auto& change) {
        exchange_state other = s;
        change(other);
        return fingerprint(other) != fingerprint(s);
    };
    CHECK(differs([](exchange_state& o) { ++o.sessions.back(); }));
    CHECK(differs([](exchange_state& o) { ++o.accounts.back().balance; }));
    CHECK(differs([](exchange_state& o) {
        const std::uint64_t last = o.tapes[2].last();
        REQUIRE((o.tapes[2].bust(last) || o.tapes[2].bust(last - 1)));
    }));
    exchange_state changed = s;
    REQUIRE(changed.books[3].reduce(changed.books[3].best(side::sell)->id, 1));
    CHECK(fingerprint(changed) != fingerprint(s));
}

TEST_CASE("the fingerprint knows priority but not the history of the slots") {
    exchange_state direct = engine::initial();
    exchange_state detour = engine::initial();
    exchange_state swapped = engine::initial();
    REQUIRE(direct.books[0].add({1, side::buy, 100, 1}));
    REQUIRE(direct.books[0].add({2, side::buy, 100, 1}));
    REQUIRE(detour.books[0].add({9, side::buy, 100, 1}));
    REQUIRE(detour.books[0].add({1, side::buy, 100, 1}));
    REQUIRE(detour.books[0].reduce(9, 1));
    REQUIRE(detour.books[0].add({2, side::buy, 100, 1}));
    REQUIRE(swapped.books[0].add({2, side::buy, 100, 1}));
    REQUIRE(swapped.books[0].add({1, side::buy, 100, 1}));
    CHECK(fingerprint(direct) == fingerprint(detour));
    CHECK(fingerprint(direct) != fingerprint(swapped));
}

TEST_CASE("a state that is cut short anywhere, or too long, is malformed") {
    std::vector<std::byte> bytes = small_state();
    for (std::size_t length = 0; length < bytes.size(); ++length)
        REQUIRE(code_of(std::span{bytes}.first(length)) == pawl::errc::malformed);
    bytes.push_back(std::byte{0});
    CHECK(code_of(bytes) == pawl::errc::malformed);
}

TEST_CASE("a state that contradicts itself is malformed") {
    const std::vector<std::byte> sound = small_state();
    REQUIRE(from_bytes(sound));
    const auto broken = [&](std::size_t at, auto number) {
        std::vector<std::byte> bytes = sound;
        put(bytes, at, number);
        return code_of(bytes);
    };
    // The first level's price at 4, its count at 12, its orders from 16, 14 bytes each; then a
    // level with one order, no asks, and the number of trades.
    CHECK(broken(first_book - 4, engine::instruments + std::uint32_t{1}) == pawl::errc::malformed);
    CHECK(broken(first_book, ~std::uint32_t{0}) == pawl::errc::malformed);
    CHECK(broken(first_book + 4, std::int64_t{99}) == pawl::errc::malformed);
    CHECK(broken(first_book + 12, std::uint32_t{0}) == pawl::errc::malformed);
    CHECK(broken(first_book + 12, ~std::uint32_t{0}) == pawl::errc::malformed);
    CHECK(broken(first_book + 16, order_id{5}) == pawl::errc::malformed);
    CHECK(broken(first_book + 24, std::uint32_t{0}) == pawl::errc::malformed);
    CHECK(broken(first_book + 28, engine::accounts) == pawl::errc::malformed);
    constexpr std::size_t trades = first_book + 16 + 2 * 14 + 12 + 14 + 4;
    CHECK(broken(trades, std::uint64_t{0}) == pawl::errc::malformed);
    CHECK(broken(trades + 8, std::uint32_t{2}) == pawl::errc::malformed);
    CHECK(broken(trades + 8 + 4 + 16, std::uint8_t{2}) == pawl::errc::malformed);
    CHECK(broken(trades + 8 + 4 + 17, std::int64_t{0}) == pawl::errc::malformed);
    CHECK(broken(trades + 8 + 4 + 29, engine::accounts) == pawl::errc::malformed);
    CHECK(broken(trades + 8 + 4 + 31, engine::accounts) == pawl::errc::malformed);
    CHECK(broken(trades + 8 + 4 + 33, std::uint8_t{2}) == pawl::errc::malformed);
}

TEST_CASE("no single flipped bit makes reading a state go wrong") {
    std::vector<std::byte> bytes = small_state();
    std::size_t refused = 0;
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
        const auto read = from_bytes(bytes);
        if (read)
            CHECK(to_bytes(*read) == bytes);
        else
            ++refused;
        bytes[bit / 8] ^= std::byte{1} << (bit % 8);
    }
    CHECK(refused > 0);
}
