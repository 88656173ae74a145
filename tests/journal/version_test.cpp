#include <catch2/catch.hpp>

#include <pawl/journal/version.hpp>

TEST_CASE("the library knows its own version", "[version]") {
    const auto version = pawl::version();
    REQUIRE_FALSE(version.empty());
    CHECK(version.find_first_not_of("0123456789.") == version.npos);
}
