#include "latency_histogram.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using exchange::latency_histogram;

TEST_CASE("an empty histogram has no latency") {
    const latency_histogram h;
    CHECK(h.count() == 0);
    CHECK(h.percentile(0.5) == 0);
    CHECK(h.max() == 0);
}

TEST_CASE("small latencies are kept exactly") {
    latency_histogram h;
    for (std::uint64_t n = 1; n <= 100; ++n)
        h.add(n);
    CHECK(h.percentile(0.01) == 1);
    CHECK(h.percentile(0.5) == 50);
    CHECK(h.percentile(0.99) == 99);
    CHECK(h.percentile(1) == 100);
}

TEST_CASE("a percentile is never below the true one and at most 1/64 above it") {
    std::mt19937_64 random{64};
    std::vector<std::uint64_t> values;
    latency_histogram h;
    for (int n = 0; n < 20'000; ++n) {
        values.push_back(random() >> (random() % 64));
        h.add(values.back());
    }
    std::ranges::sort(values);
    for (const double share : {0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
        const auto rank = static_cast<std::size_t>(std::ceil(share * 20'000.0));
        const std::uint64_t truth = values[rank - 1];
        CHECK(h.percentile(share) >= truth);
        CHECK(h.percentile(share) - truth <= truth / 64);
    }
    CHECK(h.max() == values.back());
    CHECK(h.count() == 20'000);
}
