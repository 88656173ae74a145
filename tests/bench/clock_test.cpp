#include "measure/clock.hpp"

#include <catch2/catch.hpp>

TEST_CASE("a moment that lies ahead by another core's counter is no time ago") {
    CHECK(bench::ticks_since(~std::uint64_t{0}) == 0);
    const std::uint64_t earlier = bench::ticks();
    const std::uint64_t ago = bench::ticks_since(earlier);
    CHECK(ago <= bench::ticks() - earlier);
}
