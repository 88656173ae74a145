// Journals of the bank's events.
#pragma once

#include "bank.hpp"

#include <catch2/catch.hpp>

#include <pawl/codec/encoder.hpp>
#include <pawl/journal/writer.hpp>

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <utility>

namespace bank {

inline pawl::writer open_writer(const std::filesystem::path& directory) {
    auto log = pawl::writer::open(directory,
                                  {.segment_bytes = 64 << 10, .sync = pawl::sync_policy::manual()});
    REQUIRE(log);
    return std::move(*log);
}

inline auto some_deposit(std::uint64_t account, std::int64_t amount) {
    return [=](flatbuffers::FlatBufferBuilder& b) { return Createdeposited(b, account, amount); };
}

// Appends events one at a time and in batches, to a few accounts' streams, at random.
class random_traffic {
  public:
    explicit random_traffic(std::uint64_t seed) : random_{seed} {}

    void append(pawl::writer& log, std::uint64_t events) {
        while (events != 0) {
            const std::uint64_t together = std::min(events, random_() % 3 == 0 ? random_() % 6 : 1);
            if (together == 1) {
                REQUIRE(append_one(log));
            } else if (together > 1) {
                auto batch = log.begin_batch(static_cast<std::uint32_t>(together), together * 128);
                REQUIRE(batch);
                for (std::uint64_t i = 0; i < together; ++i)
                    REQUIRE(append_one(*batch));
                REQUIRE(batch->commit());
            }
            events -= together;
        }
    }

  private:
    pawl::result<pawl::receipt> append_one(pawl::event_sink auto& sink) {
        const std::uint64_t account = random_() % 17 + 1;
        const auto amount = static_cast<std::int64_t>(random_() % 1000);
        const pawl::event_header where{.stream = account};
        switch (random_() % 4) {
            case 0:
                return encode_.append(sink, where, [&](auto& b) {
                    return Createrenamed(b, account,
                                         b.CreateString(std::string(random_() % 40, 'n')));
                });
            case 1:
                return encode_.append(sink, where,
                                      [&](auto& b) { return Createwithdrawn(b, account, amount); });
            default:
                return encode_.append(sink, where, some_deposit(account, amount));
        }
    }

    std::mt19937_64 random_;
    pawl::encoder encode_;
};

}  // namespace bank
