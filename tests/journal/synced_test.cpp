// Tracks the range of each sync: no event may be reported as durable that no sync has covered.
#include "../support/temporary_directory.hpp"
#include "io_record.hpp"
#include "journal_support.hpp"

#include <pawl/journal/detail/frame.hpp>

#include <atomic>
#include <map>
#include <thread>

using namespace pawl;
using namespace pawl::test;
using detail::io_operation;

namespace {

// The end of each segment's range that was synced without a gap.
class coverage {
  public:
    void synced(const std::filesystem::path& file, std::uint64_t offset, std::uint64_t bytes) {
        const std::scoped_lock guard{mutex_};
        // The headers are synced before the segment has a name.
        auto& end = ends_.try_emplace(file.filename().string(), 8192).first->second;
        if (offset <= end)
            end = std::max(end, offset + bytes);
    }
    [[nodiscard]] std::uint64_t end_of(std::uint64_t ordinal) const {
        const std::scoped_lock guard{mutex_};
        const auto found = ends_.find(segment({}, ordinal).string());
        return found == ends_.end() ? 0 : found->second;
    }

  private:
    mutable std::mutex mutex_;
    std::map<std::string, std::uint64_t> ends_;
};

struct placed_event {
    std::uint64_t ordinal = 0;
    std::uint64_t end = 0;
};

[[nodiscard]] placed_event place(const receipt& given, std::size_t bytes) {
    return {given.position.ordinal,
            given.position.offset + detail::padded(detail::frame_header_bytes + bytes)};
}

}  // namespace

TEST_CASE("every event that sync() reports as durable was synced, across rollovers too",
          "[concurrency]") {
    constexpr std::uint64_t total = 40'000;
    const temporary_directory directory;
    coverage covered;
    const io_record record{[&](const io_call& call) {
        if (call.operation == io_operation::sync_range)
            covered.synced(call.path, call.offset, call.bytes);
        return 0;
    }};
    auto options = small_segments();
    options.sync = GENERATE(sync_policy::manual(), sync_policy::every_us(50));
    auto log = must(writer::open(directory.path() / "j", options));
    std::vector<placed_event> events(total);
    std::atomic<std::uint64_t> placed{0};
    std::atomic<bool> failed{false};
    std::thread appending{[&] {
        const std::vector<std::byte> payload(150, std::byte{7});
        for (std::uint64_t i = 0; i < total && !failed; ++i) {
            const auto bytes = i * 7 % payload.size();
            const auto given = log.append({}, std::span{payload}.first(bytes));
            if (!given) {
                failed = true;
                break;
            }
            events[i] = place(*given, bytes);
            placed.store(i + 1, std::memory_order_release);
        }
    }};
    std::uint64_t checked = 0;
    std::uint64_t uncovered = 0;
    while (checked < total && !failed && uncovered == 0) {
        const auto durable = log.sync();
        if (!durable) {
            failed = true;
            break;
        }
        // The appending thread may not have recorded its last receipts yet.
        while (placed.load(std::memory_order_acquire) < *durable && !failed)
            std::this_thread::yield();
        for (; checked < *durable && !failed; ++checked)
            uncovered += covered.end_of(events[checked].ordinal) < events[checked].end ? 1U : 0U;
    }
    failed = failed || uncovered != 0;
    appending.join();
    CHECK(uncovered == 0);
    CHECK(checked == total);
    CHECK(log.statistics().rollovers > 50);
}

// The same without relying on timing: the appends happen inside the sync's own calls.
TEST_CASE("a sync does not report events appended during it as durable") {
    const temporary_directory directory;
    coverage covered;
    writer* appending = nullptr;
    std::vector<placed_event> events;
    const std::vector<std::byte> payload(3000, std::byte{7});
    const auto append_some = [&] {
        for (int i = 0; i < 7; ++i) {
            const auto given = appending->append({}, payload);
            if (given)
                events.push_back(place(*given, payload.size()));
        }
    };
    const io_record record{[&](const io_call& call) {
        if (call.operation != io_operation::sync_range)
            return 0;
        covered.synced(call.path, call.offset, call.bytes);
        if (appending != nullptr)
            append_some();
        return 0;
    }};
    auto options = small_segments();
    options.background_threads = false;
    options.full = when_full::fail;
    auto log = must(writer::open(directory.path() / "j", options));
    std::uint64_t rollovers = 0;
    for (int round = 0; round < 30; ++round) {
        must(log.poll());
        append_numbered(log, 1);
        events.resize(log.next_sequence());
        events.back() = {};  // small, and before the others
        appending = &log;
        const auto durable = must(log.sync());
        appending = nullptr;
        rollovers = log.statistics().rollovers;
        CHECK(durable <= log.next_sequence());
        for (std::uint64_t i = 0; i < durable; ++i) {
            if (covered.end_of(events[i].ordinal) < events[i].end)
                FAIL("event " << i << " of " << durable << " was not synced");
        }
    }
    CHECK(rollovers > 5);
}
