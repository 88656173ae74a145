#include "measure/contest.hpp"

#include <catch2/catch.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

using bench::contender;
using bench::contest;
using bench::figure;
using bench::sample;

namespace {

// A contender whose slices take the given times, one event each.
contender scripted(const std::string& name, std::vector<double> times,
                   std::vector<bool> interrupted = {}) {
    const auto at = std::make_shared<std::size_t>(0);
    return {.name = name, .run = [times, interrupted, at]() -> sample {
                const auto i = (*at)++;
                return {.events = 1,
                        .total_ns = times.at(i),
                        .interrupted = !interrupted.empty() && interrupted.at(i)};
            }};
}

void quietly(const std::string&) {}

}  // namespace

TEST_CASE("a ratio is the median of the ratios within each turn, not the ratio of the medians") {
    contest turns("test");
    // The machine is three times slower in some turns, for both alike.
    const auto floor = turns.add(scripted("floor", {10, 30, 10, 30, 10}));
    const auto other = turns.add(scripted("other", {20, 60, 20, 60, 50}));
    turns.run(5, 1, quietly);
    CHECK(turns.ratio(other, {{floor}}, figure::mean) == Approx(2.0));
    CHECK(turns.median(other, figure::mean) == Approx(50.0));
}

TEST_CASE("a yardstick adds up its weighted parts in every turn") {
    contest turns("test");
    const auto build = turns.add(scripted("build", {40, 40, 40, 40, 40}));
    const auto floor = turns.add(scripted("floor", {20, 20, 20, 20, 20}));
    const auto both = turns.add(scripted("both", {60, 63, 60, 63, 66}));
    turns.run(5, 1, quietly);
    CHECK(turns.ratio(both, {{build}, {floor}}, figure::mean) == Approx(63.0 / 60.0));
    const auto verdict = turns.judge("both", both, {{build}, {floor}}, figure::mean,
                                     contest::yardstick{{build}, {floor, 1.25}});
    CHECK(verdict.limit == Approx(65.0 / 60.0));
    CHECK(verdict.met());
}

TEST_CASE("a turn in which any contender was interrupted is dropped for all and counted") {
    contest turns("test");
    const auto floor = turns.add(scripted("floor", {10, 10, 10, 10, 10, 10, 10}));
    const auto other = turns.add(scripted("other", {20, 900, 20, 20, 20, 20, 20},
                                          {false, true, false, false, false, false, false}));
    turns.run(7, 1, quietly);
    const auto line = turns.line(other, {{floor}});
    CHECK(line.repetitions == 6);
    CHECK(line.dropped_repetitions == 1);
    CHECK(line.max_ns_per_event == Approx(20.0));
    CHECK(turns.line(floor).repetitions == 6);
}

TEST_CASE("no turn is dropped where fewer than five would be left") {
    contest turns("test");
    const auto only =
        turns.add(scripted("only", {1, 2, 3, 4, 5}, {true, false, false, false, false}));
    turns.run(5, 1, quietly);
    CHECK(turns.line(only).repetitions == 5);
    CHECK(turns.line(only).dropped_repetitions == 0);
}

TEST_CASE("contenders take turns within a round, between their begin and end") {
    std::string log;
    const auto noted = [&log](const std::string& name) {
        return contender{.name = name,
                         .begin = [&log, name] { log += name + "( "; },
                         .run = [&log, name]() -> sample {
                             log += name + " ";
                             return {.events = 1, .total_ns = 1};
                         },
                         .end = [&log, name] { log += ")" + name + " "; }};
    };
    contest turns("test");
    turns.add(noted("a"));
    turns.add(noted("b"));
    turns.run(1, 3, quietly);
    CHECK(log == "a( b( a b b a a b )a )b ");
}

TEST_CASE("a floor that moves by more than a fifth makes a row unreliable") {
    contest turns("test");
    const auto steady = turns.add(scripted("steady", {100, 101, 102, 103, 104}));
    const auto moving = turns.add(scripted("moving", {100, 130, 160, 190, 220}));
    const auto other = turns.add(scripted("other", {200, 200, 200, 200, 200}));
    turns.run(5, 1, quietly);
    CHECK_FALSE(turns.line(other, {{steady}}).unreliable);
    CHECK(turns.line(other, {{moving}}).unreliable);
    CHECK(turns.judge("", other, {{moving}}, figure::mean, 2).unreliable);
    CHECK_FALSE(turns.line(other).floor_ratio.has_value());
}

TEST_CASE("percentiles of a row are medians over the rounds and its maximum is over all") {
    contest turns("test");
    const auto round = std::make_shared<std::uint64_t>(0);
    const auto id = turns.add(
        {.name = "latency", .run = [round]() -> sample {
             sample made{.events = 100, .total_ns = 100, .latency = pawl::detail::histogram{}};
             ++*round;
             for (int i = 0; i < 100; ++i) {
                 made.latency->record(*round * 10);
             }
             return made;
         }});
    turns.run(5, 1, quietly);
    const auto line = turns.line(id, {{id}}, figure::p99);
    CHECK(line.p50_ns == Approx(30.0));
    CHECK(line.p9999_ns == Approx(30.0));
    CHECK(line.max_ns == Approx(50.0));
    CHECK(line.floor_ratio == Approx(1.0));
}
