#include <catch2/catch.hpp>

#include <pawl/replay/detail/histogram.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

using pawl::detail::histogram;

namespace {

std::uint64_t exact_quantile(std::vector<std::uint64_t> values, double share) {
    std::sort(values.begin(), values.end());
    const double wanted = std::ceil(share * static_cast<double>(values.size()));
    const auto rank = std::max<std::size_t>(static_cast<std::size_t>(wanted), 1);
    return values[rank - 1];
}

std::vector<std::uint64_t> latencies_over_nine_decades(std::size_t count) {
    std::mt19937_64 random(20240607);
    std::uniform_real_distribution<double> exponent(0.0, 9.0);
    std::vector<std::uint64_t> values(count);
    for (auto& value : values) {
        value = static_cast<std::uint64_t>(std::pow(10.0, exponent(random)));
    }
    return values;
}

}  // namespace

TEST_CASE("a histogram's quantiles are never below the exact ones and within one part in 128") {
    const auto values = latencies_over_nine_decades(50'000);
    histogram counted;
    for (const auto value : values) {
        counted.record(value);
    }
    for (const double share : {0.0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
        CAPTURE(share);
        const auto exact = exact_quantile(values, share);
        const auto estimate = counted.at(share);
        CHECK(estimate >= exact);
        CHECK(estimate - exact <= exact / histogram::buckets_per_octave);
    }
}

TEST_CASE("values below 256 are counted exactly") {
    for (std::uint64_t value = 0; value < 256; ++value) {
        histogram counted;
        counted.record(value);
        counted.record(1'000'000);
        REQUIRE(counted.at(0.5) == value);
    }
}

TEST_CASE("minimum, maximum, mean and count are exact") {
    histogram counted;
    for (const std::uint64_t value : {7U, 1'000'003U, 12U, 999'999'937U}) {
        counted.record(value);
    }
    CHECK(counted.count() == 4);
    CHECK(counted.minimum() == 7);
    CHECK(counted.maximum() == 999'999'937);
    CHECK(counted.at(1.0) == 999'999'937);
    CHECK(counted.mean() == Approx((7.0 + 1'000'003.0 + 12.0 + 999'999'937.0) / 4));
}

TEST_CASE("an empty histogram returns zero") {
    const histogram empty;
    CHECK(empty.count() == 0);
    CHECK(empty.minimum() == 0);
    CHECK(empty.maximum() == 0);
    CHECK(empty.at(0.99) == 0);
    CHECK(empty.mean() == 0.0);
}

TEST_CASE("the largest and the smallest value that can be recorded come back") {
    constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
    histogram counted;
    counted.record(0);
    counted.record(largest);
    CHECK(counted.at(0.5) == 0);
    CHECK(counted.at(1.0) == largest);
}

TEST_CASE("merged histograms equal one that recorded everything") {
    const auto values = latencies_over_nine_decades(10'000);
    histogram all;
    histogram even;
    histogram odd;
    for (std::size_t i = 0; i < values.size(); ++i) {
        all.record(values[i]);
        (i % 2 == 0 ? even : odd).record(values[i]);
    }
    even.merge(odd);
    CHECK(even.count() == all.count());
    CHECK(even.minimum() == all.minimum());
    CHECK(even.maximum() == all.maximum());
    for (const double share : {0.1, 0.5, 0.9, 0.99, 0.999}) {
        CAPTURE(share);
        CHECK(even.at(share) == all.at(share));
    }
}

TEST_CASE("a quantile that falls between two values is the upper one") {
    histogram counted;
    for (std::uint64_t value = 1; value <= 100; ++value) {
        counted.record(value);
    }
    CHECK(counted.at(0.5) == 50);
    CHECK(counted.at(0.501) == 51);
    CHECK(counted.at(0.99) == 99);
    CHECK(counted.at(0.991) == 100);
}

TEST_CASE("a cleared histogram counts from zero") {
    histogram counted;
    counted.record(123'456);
    counted.clear();
    counted.record(5);
    CHECK(counted.count() == 1);
    CHECK(counted.minimum() == 5);
    CHECK(counted.maximum() == 5);
}
