#include "fill_file.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

using namespace exchange;
using pawl::test::temporary_directory;

namespace {

std::string text_of(const std::filesystem::path& path) {
    std::ifstream in{path};
    return {std::istreambuf_iterator<char>{in}, {}};
}

const fill_notice fill{.command = 9, .maker = 3, .taker = 9, .price = 101, .quantity = 5};

}  // namespace

TEST_CASE("fills that were sent before are counted and stay") {
    const temporary_directory place;
    const auto path = place.path() / "fills";
    for (std::uint64_t before = 0; before < 3; ++before) {
        auto clients = fill_file::open(path);
        REQUIRE(clients);
        CHECK(clients->arrived() == before);
        clients->send(fill);
        CHECK(clients->arrived() == before + 1);
        REQUIRE(clients->close());
    }
    CHECK(text_of(path) == "9,3,9,101,5\n9,3,9,101,5\n9,3,9,101,5\n");
}

TEST_CASE("a line that was not finished has not arrived") {
    const temporary_directory place;
    const auto path = place.path() / "fills";
    std::ofstream{path} << "1,2,3,4,5\n6,7,8";
    auto clients = fill_file::open(path);
    REQUIRE(clients);
    CHECK(clients->arrived() == 1);
    clients->send(fill);
    REQUIRE(clients->close());
    CHECK(text_of(path) == "1,2,3,4,5\n9,3,9,101,5\n");
}

TEST_CASE("fills that cannot be written are an error") {
    CHECK_FALSE(fill_file::open("/nowhere/at/all"));
    auto full = fill_file::open("/dev/full");
    if (!full) {
        WARN("skipped: no /dev/full here");
        return;
    }
    full->send(fill);
    CHECK_FALSE(full->close());
}
