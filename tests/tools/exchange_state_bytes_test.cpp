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
    const order_flow flow{5};
    while (s.commands < 3'000)
        (void)take(s, flow.next(s));
    return s;
}

pawl::errc code_of(std::span<const std::byte> bytes) {
    const auto read = from_bytes(bytes);
    REQUIRE_FALSE(read);
    return read.error().code;
}

constexpr std::size_t first_book = 5 * 8 + 4;

// Two buying orders at 100 and one at 99 in the first book.
std::vector<std::byte> small_state() {
    exchange_state s = engine::initial();
    (void)take(s, limit(side::buy, 100, 1));
    (void)take(s, limit(side::buy, 100, 2));
    (void)take(s, limit(side::buy, 99, 3));
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
    CHECK(back->commands == 3'000);
    for (std::size_t n = 0; n < s.books.size(); ++n) {
        CHECK(queue(back->books[n], side::buy) == queue(s.books[n], side::buy));
        CHECK(queue(back->books[n], side::sell) == queue(s.books[n], side::sell));
    }
}

TEST_CASE("every counter and every order is in the fingerprint") {
    const exchange_state s = busy_state();
    for (const auto counter :
         {&exchange_state::commands, &exchange_state::events, &exchange_state::fills,
          &exchange_state::filled_quantity, &exchange_state::rejections}) {
        exchange_state changed = s;
        ++(changed.*counter);
        CHECK(fingerprint(changed) != fingerprint(s));
    }
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
    // Levels at 4, the first one's price at 4, its count at 12, its orders from 16, 12 bytes each.
    CHECK(broken(first_book - 4, engine::instruments + std::uint32_t{1}) == pawl::errc::malformed);
    CHECK(broken(first_book, ~std::uint32_t{0}) == pawl::errc::malformed);
    CHECK(broken(first_book + 4, std::int64_t{99}) == pawl::errc::malformed);
    CHECK(broken(first_book + 12, std::uint32_t{0}) == pawl::errc::malformed);
    CHECK(broken(first_book + 12, ~std::uint32_t{0}) == pawl::errc::malformed);
    CHECK(broken(first_book + 16, order_id{2}) == pawl::errc::malformed);
    CHECK(broken(first_book + 24, std::uint32_t{0}) == pawl::errc::malformed);
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
