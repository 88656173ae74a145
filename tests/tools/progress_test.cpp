#include "terminal/progress.hpp"

#include <catch2/catch.hpp>

using pawl::cli::progress_text;
using seconds = std::chrono::duration<double>;

TEST_CASE("progress says how far, and after a second also how fast and for how long") {
    constexpr std::uint64_t mebibyte = 1 << 20;
    CHECK(progress_text(100 * mebibyte, 400 * mebibyte, seconds{0.5}) == " 25.0 %  100 of 400 MiB");
    CHECK(progress_text(100 * mebibyte, 400 * mebibyte, seconds{2}) ==
          " 25.0 %  100 of 400 MiB, 50 MiB/s, 6 s left");
    CHECK(progress_text(0, 400 * mebibyte, seconds{2}) == "  0.0 %  0 of 400 MiB");
    // A journal may grow while it is read.
    CHECK(progress_text(500 * mebibyte, 400 * mebibyte, seconds{2}) ==
          "100.0 %  400 of 400 MiB, 200 MiB/s, 0 s left");
}
