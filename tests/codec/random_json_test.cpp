// Random schemas, and random events of them: what the text says comes back from the payload.
#include "random_schema.hpp"
#include "schema_text.hpp"

#include <flatbuffers/reflection.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace {

// Whether FlatBuffers' own verifier passes the payload, by the schema that flatc made.
bool verifies(std::span<const std::byte> bfbs, std::string_view table,
              std::span<const std::byte> payload) {
    const reflection::Schema& all = *reflection::GetSchema(bfbs.data());
    const auto* root = all.objects()->LookupByKey(std::string{table}.c_str());
    std::vector<std::uint64_t> words((payload.size() + 7) / 8);
    std::memcpy(words.data(), payload.data(), payload.size());
    return flatbuffers::Verify(all, *root, reinterpret_cast<const std::uint8_t*>(words.data()),
                               payload.size());
}

}  // namespace

TEST_CASE("events of random schemas come back from their payload as they were", "[codec]") {
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
        random_schema source{seed};
        const auto bfbs = compile_schema(source.text());
        const pawl::schema of = load_schema(bfbs, source.table());
        const pawl::schema reloaded = load_schema(of.bytes(), {});
        CHECK(std::ranges::equal(of.bytes(), reloaded.bytes()));
        pawl::json_parser parse{of};
        for (int i = 0; i < 20; ++i) {
            const std::string text = source.event();
            INFO("seed " << seed << "\n" << source.text() << "\n" << text);
            const auto payload = parse(text);
            if (!payload)
                FAIL(payload.error().message());
            CHECK(verifies(bfbs, source.table(), *payload));
            CHECK(print(of, *payload) == text);
            const std::string all =
                print(reloaded, *payload, {.long_integers_as_strings = true, .defaults = true});
            CHECK(through(of, all) == text);
        }
    }
}

TEST_CASE("a damaged payload is refused, or printed as something that can be read back",
          "[codec]") {
    std::mt19937_64 random{7};
    std::size_t printed = 0;
    std::size_t refused = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        random_schema source{seed};
        const pawl::schema of = schema_of(source.text(), source.table());
        pawl::json_parser parse{of};
        for (int i = 0; i < 40; ++i) {
            const std::string text = source.event();
            const auto payload = parse(text);
            REQUIRE(payload);
            std::vector<std::byte> damaged(payload->begin(), payload->end());
            for (std::uint64_t hits = 1 + random() % 3; hits != 0; --hits)
                damaged[random() % damaged.size()] = std::byte(random());
            std::string shown;
            if (!pawl::json_printer{of}.print(damaged, shown)) {
                ++refused;
                continue;
            }
            ++printed;
            INFO("seed " << seed << "\n" << source.text() << "\n" << shown);
            CHECK(through(of, shown) == shown);
        }
    }
    CHECK(printed > 100);
    CHECK(refused > 100);
}
