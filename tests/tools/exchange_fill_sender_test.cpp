#include "events.hpp"
#include "fill_sender.hpp"
#include "support/must.hpp"
#include "support/temporary_directory.hpp"

#include <catch2/catch.hpp>

#include <pawl/codec/encoder.hpp>
#include <pawl/journal/writer.hpp>

#include <atomic>
#include <cstdint>
#include <vector>

using namespace exchange;
using namespace pawl::test;

namespace {

// A journal whose event n is the fill of command n.
class fills {
  public:
    fills() : log_{must(pawl::writer::open(directory(), {.sync = pawl::sync_policy::manual()}))} {}

    [[nodiscard]] std::filesystem::path directory() const { return place_.path() / "journal"; }
    [[nodiscard]] pawl::writer& log() { return log_; }
    void add(std::uint64_t count) {
        for (std::uint64_t n = 0; n < count; ++n)
            must(encode_.append(log_, {.stream = 1}, [&](auto& b) {
                return Createfilled(b, log_.next_sequence(), 1, 2, 0, side::buy, 100, 1);
            }));
    }

  private:
    temporary_directory place_;
    pawl::writer log_;
    pawl::encoder encode_;
};

}  // namespace

TEST_CASE("no fill is sent before it is durable, and each is sent once and in order") {
    fills journal;
    journal.add(100);
    std::vector<std::uint64_t> sent;
    std::atomic<std::uint64_t> early{0};
    auto sender = must(fill_sender::start(
        journal.directory(),
        [&](const fill_notice& fill) {
            early += fill.command >= journal.log().durable() ? 1U : 0U;
            sent.push_back(fill.command);
        },
        0, 100));
    for (int part = 0; part < 50; ++part) {
        journal.add(100);
        must(journal.log().sync());
    }
    REQUIRE(sender.finish());
    CHECK(early == 0);
    REQUIRE(sent.size() == 5'100);
    CHECK(sender.sent() == sent.size());
    for (std::uint64_t n = 0; n < sent.size(); ++n)
        REQUIRE(sent[n] == n);
}

TEST_CASE("fills that have arrived are not sent again") {
    fills journal;
    journal.add(10);
    must(journal.log().sync());
    for (const std::uint64_t arrived : {0u, 7u, 10u}) {
        std::vector<std::uint64_t> sent;
        auto sender = must(fill_sender::start(
            journal.directory(), [&](const fill_notice& fill) { sent.push_back(fill.command); },
            arrived, 10));
        REQUIRE(sender.finish());
        REQUIRE(sent.size() == 10 - arrived);
        CHECK((sent.empty() || sent.front() == arrived));
    }
    const auto too_many =
        fill_sender::start(journal.directory(), [](const fill_notice&) {}, 11, 10);
    REQUIRE_FALSE(too_many);
    CHECK(too_many.error().code == pawl::errc::invalid_argument);
}

TEST_CASE("a sender that is stopped early sends no more") {
    fills journal;
    journal.add(10);
    must(journal.log().sync());
    std::atomic<std::uint64_t> sent{0};
    {
        const auto sender = must(
            fill_sender::start(journal.directory(), [&](const fill_notice&) { ++sent; }, 0, 10));
    }
    const std::uint64_t by_then = sent;
    journal.add(10);
    must(journal.log().sync());
    CHECK(by_then <= 10);
    CHECK(sent == by_then);
}
