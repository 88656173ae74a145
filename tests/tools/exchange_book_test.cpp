#include "book.hpp"
#include "exchange_support.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

using namespace exchange;
using namespace exchange::test;
using orders = std::vector<std::pair<order_id, std::uint32_t>>;

TEST_CASE("a book puts the better price first and the earlier order first at one price") {
    book b;
    REQUIRE(b.add({1, side::buy, 100, 10}));
    REQUIRE(b.add({2, side::buy, 101, 10}));
    REQUIRE(b.add({3, side::buy, 100, 10}));
    REQUIRE(b.add({4, side::sell, 105, 10}));
    REQUIRE(b.add({5, side::sell, 104, 10}));
    REQUIRE(b.add({6, side::sell, 105, 10}));
    CHECK(queue(b, side::buy) == orders{{2, 10}, {1, 10}, {3, 10}});
    CHECK(queue(b, side::sell) == orders{{5, 10}, {4, 10}, {6, 10}});
    CHECK(b.levels(side::sell) == 2);
    CHECK(b.at(side::sell, 1)->id == 4);
    CHECK(b.at(side::sell, 2) == nullptr);
}

TEST_CASE("a book refuses an order that rests already, is empty, or has no side") {
    book b;
    REQUIRE(b.add({1, side::buy, 100, 10}));
    CHECK_FALSE(b.add({1, side::sell, 105, 10}));
    CHECK_FALSE(b.add({2, side::buy, 100, 0}));
    CHECK_FALSE(b.add({3, static_cast<side>(2), 100, 10}));
    CHECK(b.orders(side::buy) == 1);
    CHECK(b.orders(side::sell) == 0);
}

TEST_CASE("a book refuses to reduce an order by more than it holds") {
    book b;
    REQUIRE(b.add({1, side::buy, 100, 10}));
    CHECK_FALSE(b.reduce(1, 11));
    CHECK_FALSE(b.reduce(2, 1));
    CHECK(b.reduce(1, 4));
    CHECK(b.find(1)->quantity == 6);
    CHECK(b.reduce(1, 6));
    CHECK(b.find(1) == nullptr);
    CHECK(b.best(side::buy) == nullptr);
}

TEST_CASE("a copy of a book is a book of its own") {
    book b;
    REQUIRE(b.add({1, side::buy, 100, 10}));
    book copy = b;
    REQUIRE(copy.reduce(1, 10));
    CHECK(copy.find(1) == nullptr);
    CHECK(b.find(1)->quantity == 10);
}

TEST_CASE("a book agrees with a plain sorted list over random changes") {
    struct listed {
        order_id id;
        side which;
        std::int64_t price;
        std::uint32_t quantity;
    };
    std::mt19937_64 random{20120621};
    std::vector<listed> list;  // in order of arrival
    book b;
    const auto expected = [&](side s) {
        std::vector<listed> of_side;
        std::ranges::copy_if(list, std::back_inserter(of_side),
                             [s](const listed& l) { return l.which == s; });
        std::ranges::stable_sort(
            of_side, [s](const listed& x, const listed& y) { return better(s, x.price, y.price); });
        orders result;
        for (const listed& l : of_side)
            result.emplace_back(l.id, l.quantity);
        return result;
    };
    for (order_id id = 1; id <= 4000; ++id) {
        const auto roll = [&](std::uint64_t n) { return random() % n; };
        if (list.size() < 20 || (list.size() < 200 && roll(2) == 0)) {
            list.push_back({id, roll(2) == 0 ? side::buy : side::sell,
                            100 + static_cast<std::int64_t>(roll(30)),
                            1 + static_cast<std::uint32_t>(roll(50))});
            const listed& l = list.back();
            REQUIRE(b.add({l.id, l.which, l.price, l.quantity}));
        } else {
            const auto chosen = list.begin() + static_cast<std::ptrdiff_t>(roll(list.size()));
            const auto less = static_cast<std::uint32_t>(1 + roll(chosen->quantity));
            REQUIRE(b.reduce(chosen->id, less));
            chosen->quantity -= less;
            if (chosen->quantity == 0)
                list.erase(chosen);
        }
        REQUIRE(queue(b, side::buy) == expected(side::buy));
        REQUIRE(queue(b, side::sell) == expected(side::sell));
        REQUIRE(b.orders(side::buy) + b.orders(side::sell) == list.size());
    }
}
