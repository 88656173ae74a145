#include "../support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>

#include <cstring>
#include <string>

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
    return std::as_bytes(std::span{text.data(), text.size()});
}

std::string text_of(const pawl::event& e) {
    const auto payload = e.payload();
    return {reinterpret_cast<const char*>(payload.data()), payload.size()};
}

pawl::writer_options small() {
    pawl::writer_options options;
    options.segment_bytes = 64 << 10;
    return options;
}

}  // namespace

TEST_CASE("appended events are read back in order, across segments and after a clean close",
          "[concurrency]") {
    const pawl::test::temporary_directory directory;
    constexpr std::uint64_t count = 20'000;
    {
        auto writer = pawl::writer::open(directory.path(), small());
        REQUIRE(writer);
        CHECK(writer->recovery().state == pawl::found::created);
        for (std::uint64_t i = 0; i < count; ++i) {
            auto placed = writer->append({.type = 7, .stream = 1 + i % 3},
                                         bytes_of("event " + std::to_string(i)));
            REQUIRE(placed);
            REQUIRE(placed->sequence == i);
            REQUIRE(placed->version == i / 3 + 1);
        }
        CHECK(writer->statistics().rollovers > 10);
        const auto closed = writer->close();
        INFO((closed ? "" : closed.error().message()));
        REQUIRE(closed);
    }
    auto cursor = pawl::cursor::open(directory.path());
    REQUIRE(cursor);
    std::uint64_t expected = 0;
    auto read = cursor->for_each([&](const pawl::event& e) {
        REQUIRE(e.sequence() == expected);
        REQUIRE(e.stream() == 1 + expected % 3);
        REQUIRE(e.version() == expected / 3 + 1);
        REQUIRE(text_of(e) == "event " + std::to_string(expected));
        ++expected;
    });
    INFO((read ? "" : read.error().message()));
    REQUIRE(read);
    CHECK(*read == count);
    CHECK(*cursor->finish() == pawl::end_of_journal::closed);

    auto verified = pawl::verify(directory.path());
    REQUIRE(verified);
    for (const auto& finding : verified->findings)
        UNSCOPED_INFO(finding.what.message());
    CHECK(verified->findings.empty());
    CHECK(verified->events == count);
}
