#include <catch2/catch.hpp>

#include <pawl/codec/utc_time.hpp>

#include <limits>

namespace {

std::string text_of(std::uint64_t nanoseconds) {
    std::string text;
    pawl::append_utc(text, nanoseconds);
    return text;
}

}  // namespace

TEST_CASE("times are written and read back") {
    CHECK(text_of(0) == "1970-01-01T00:00:00.000000000Z");
    CHECK(text_of(1'700'000'000'000'000'001) == "2023-11-14T22:13:20.000000001Z");
    const auto greatest = std::numeric_limits<std::uint64_t>::max();
    CHECK(text_of(greatest) == "2554-07-21T23:34:33.709551615Z");
    for (const std::uint64_t time :
         {std::uint64_t{0}, std::uint64_t{951'782'400'000'000'000}, greatest - 1, greatest})
        CHECK(pawl::parse_utc(text_of(time)) == time);
}

TEST_CASE("the beginning of a time is a time") {
    const std::uint64_t hour = 3'600'000'000'000;
    const std::uint64_t day = *pawl::parse_utc("2026-11-23");
    CHECK(pawl::parse_utc("2026-11-23T14") == day + 14 * hour);
    CHECK(pawl::parse_utc("2026-11-23T14:02") == day + 14 * hour + hour / 30);
    CHECK(pawl::parse_utc("2026-11-23T14:02:00.5Z") == day + 14 * hour + hour / 30 + 500'000'000);
    CHECK(pawl::parse_time_of_day("14:02") == 14 * hour + hour / 30);
    for (const char* text :
         {"", "2026", "2026-11", "2026-13-01", "2026-02-29", "1969-12-31", "2026-11-23 14:02",
          "2026-11-23T", "2026-11-23T24", "2026-11-23T14:60", "2026-11-23T14:02:00.",
          "2026-11-23T14:02:00.0000000001", "2026-11-23T14:02+01:00", "2554-07-21T23:34:34",
          "2026-11-23TZ", "2026-11-23Tx"}) {
        INFO(text);
        CHECK_FALSE(pawl::parse_utc(text));
    }
    CHECK_FALSE(pawl::parse_time_of_day("14"));
    CHECK_FALSE(pawl::parse_time_of_day("noon"));
}
