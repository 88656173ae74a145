// Runs every stored input through its target: seeds, and inputs that once broke something.
#include "targets.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace pawl::test;
namespace fs = std::filesystem;

TEST_CASE("no stored input breaks the parser it was made for") {
    for (const fuzz_target& target : fuzz_targets()) {
        std::size_t inputs = 0;
        for (const auto& entry : fs::directory_iterator{fs::path{PAWL_CORPUS_DIR} / target.name}) {
            std::ifstream source{entry.path(), std::ios::binary};
            const std::string bytes{std::istreambuf_iterator<char>{source}, {}};
            INFO(entry.path().string());
            target.run(std::as_bytes(std::span{bytes}));
            // An input that is cut short anywhere must not break anything either.
            for (std::size_t kept = 0; kept < bytes.size(); kept += 1 + kept / 8)
                target.run(std::as_bytes(std::span{bytes}.first(kept)));
            ++inputs;
        }
        CHECK(inputs > 0);
    }
}
