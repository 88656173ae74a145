// The appender and a reader on one mapping, so that ThreadSanitizer sees both sides of every word.
#include "../support/temporary_directory.hpp"
#include "append/appender.hpp"
#include "format/segment_walk.hpp"
#include "journal_support.hpp"
#include "store/segment_file.hpp"

#include <atomic>
#include <thread>

using namespace pawl;
using namespace pawl::test;
using namespace pawl::detail;

namespace {

constexpr sequence_number events_in_all = 20'000;

// Appends with every kind of call, and leaves scribbles that the next append must clear.
void append_all_kinds(appender& log) {
    std::array<std::byte, 64> payload{};
    while (log.sequence() < events_in_all) {
        const std::uint64_t n = log.sequence();
        std::memcpy(payload.data(), &n, sizeof n);
        const std::span<const std::byte> bytes{payload.data(), 8 + n % 56};
        if (n % 5 == 0) {
            REQUIRE(log.begin_batch(3, 200));
            for (std::uint64_t i = 0; i < 3; ++i) {
                const std::uint64_t inside = n + i;
                std::memcpy(payload.data(), &inside, sizeof inside);
                REQUIRE(log.add_to_batch({.type = 1}, bytes));
            }
            if (n % 10 == 0) {
                log.abandon_batch();
                REQUIRE(log.append({.type = 1}, {payload.data(), 0}));
            } else {
                REQUIRE(log.commit_batch());
            }
        } else if (n % 7 == 0) {
            REQUIRE(!log.reserve({.type = 1}, 300));
            const auto space = log.reserved_payload();
            std::memset(space.data(), 0xff, space.size());
            if (n % 2 == 0)
                log.abandon_reservation();
            else
                REQUIRE(log.commit_reservation(n % 300));
            if (n % 2 == 0)
                REQUIRE(log.append({.type = 1}, {payload.data(), 0}));
        } else {
            REQUIRE(log.append({.type = 1}, bytes));
        }
    }
}

// Follows the log segment by segment on the writer's own mappings; returns the number of events.
sequence_number follow(const live_segment* segment) {
    sequence_number sequence = 0;
    std::uint64_t offset = first_frame_offset;
    while (sequence < events_in_all) {
        const frame_space space{segment->bytes.data(), segment->bytes.size(),
                                segment->header.epoch};
        const commit_word word{load_commit(space.base + offset)};
        if (word.value() == 0)
            continue;
        if (check_in_order(space, offset, sequence) != frame_fault::none)
            return sequence;
        if ((word.flags() & flag::batch_mask) == flag::batch_first &&
            check_batch(space, offset, sequence).fault != frame_fault::none)
            return sequence;
        if (is_end(word)) {
            const live_segment* next = nullptr;
            while (next == nullptr)
                next = segment->next.load(std::memory_order_acquire);
            segment = next;
            offset = first_frame_offset;
            continue;
        }
        sequence += word.is_system() ? 0U : 1U;
        offset += padded(word.frame_bytes());
    }
    return sequence;
}

}  // namespace

TEST_CASE("a reader on the writer's own mapping sees whole frames in order", "[concurrency]") {
    const temporary_directory directory;
    const segment_request request{
        .directory = directory.path(), .id = {1}, .segment_bytes = min_segment_bytes};
    live_segment first{must(create_segment(request))};
    auto following = request;
    following.ordinal = 1;
    segment_supply supply{following, 4};
    std::atomic<std::uint32_t> gate_word{static_cast<std::uint32_t>(gate::open)};
    std::atomic<std::uint64_t> durable{0};
    appender log{{.directory = directory.path(),
                  .id = request.id,
                  .gate_word = &gate_word,
                  .durable = &durable,
                  .supply = &supply,
                  .first = &first,
                  .full = when_full::spin},
                 must(head_slots::make(64)),
                 must(head_slots::make(64))};

    std::atomic<bool> stop{false};
    std::thread background{[&] {
        while (!stop.load(std::memory_order_acquire)) {
            if (auto made = supply.replenish(); !made)
                return;
            std::this_thread::yield();
        }
    }};
    sequence_number seen = 0;
    std::thread reader{[&] { seen = follow(&first); }};
    append_all_kinds(log);
    reader.join();
    stop.store(true, std::memory_order_release);
    background.join();
    CHECK(seen >= events_in_all);
    CHECK(log.shared().rollovers.load() > 0);
    for (live_segment* left = first.next.load(); left != nullptr;) {
        live_segment* const next = left->next.load();
        delete left;
        left = next;
    }
}
