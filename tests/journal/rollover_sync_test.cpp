// A sync that meets the appending thread in the middle of a rollover.
#include "../support/temporary_directory.hpp"
#include "append/live_segment.hpp"
#include "journal_support.hpp"
#include "os/io_hook.hpp"
#include "store/control.hpp"
#include "store/directory.hpp"
#include "store/segment_file.hpp"
#include "upkeep/durability.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>

using namespace pawl;
using namespace pawl::test;
using namespace pawl::detail;

namespace {

constexpr std::uint64_t rolled_at = 60'000;
constexpr std::uint64_t end_of_first = rolled_at + end_frame_bytes;

// An appending thread that the test moves step by step, and the durability that syncs beside it.
class stepped_writer {
  public:
    explicit stepped_writer(const std::filesystem::path& directory) {
        segment_request request{
            .directory = directory, .id = {1}, .segment_bytes = min_segment_bytes};
        auto first = std::make_unique<live_segment>(must(create_segment(request)));
        request.ordinal = 1;
        second_ = std::make_unique<live_segment>(must(create_segment(request)));
        second_path_ = second_->bytes.path().string();
        first_ = first.get();
        const auto held = must(directory_handle::hold(directory));
        (void)must(create_identity(held, min_segment_bytes, {}, 0600));
        durability_ = std::make_unique<durability>(
            must(control_page::open_for_writing(held, {1}, 0, 0600)), &gate_word_, 0,
            place_check{held, must(held.identity_of(identity_name))},
            [](std::unique_ptr<live_segment>) {});
        durability_->attach(&progress_, std::move(first));
        set_io_hook(
            [](void* context, const io_event& event) {
                return static_cast<stepped_writer*>(context)->note(event);
            },
            this);
    }
    ~stepped_writer() { set_io_hook(nullptr, nullptr); }
    stepped_writer(const stepped_writer&) = delete;
    stepped_writer& operator=(const stepped_writer&) = delete;

    void fill_first_segment() {
        store_frames(*first_, end_of_first);
        publish(100, rolled_at);
    }
    // The first half of a rollover.
    void link() {
        live_segment* second = second_.release();
        first_->link(*second, end_of_first, end_of_first);
        newest_ = second;
    }
    // The second half.
    void enter() { publish(100, newest_->begin + first_frame_offset); }
    // Publishes events that end at `end` of the second segment.
    void append(std::uint64_t events, std::uint64_t end) {
        store_frames(*newest_, end);
        publish(progress_.sequence + events, newest_->begin + end);
    }

    [[nodiscard]] result<sequence_number> sync() { return durability_->sync(); }
    // Called during each sync of the second segment.
    std::function<void()> during_sync;
    // The end of what the syncs of the second segment covered.
    [[nodiscard]] std::uint64_t covered() const noexcept { return covered_; }
    [[nodiscard]] const durability& log() const noexcept { return *durability_; }
    [[nodiscard]] const live_segment& newest() const noexcept { return *newest_; }

  private:
    static void store_frames(const live_segment& segment, std::uint64_t end) {
        std::memset(segment.bytes.data() + first_frame_offset, 0x4e, end - first_frame_offset);
    }
    void publish(sequence_number sequence, std::uint64_t position) {
        progress_.position.store(position, std::memory_order_release);
        progress_.sequence.store(sequence, std::memory_order_release);
    }
    int note(const io_event& event) {
        if (event.operation != io_operation::sync_range || second_path_ != event.path)
            return 0;
        covered_ = std::max(covered_, event.offset + event.bytes);
        if (during_sync)
            during_sync();
        return 0;
    }

    std::atomic<std::uint32_t> gate_word_{static_cast<std::uint32_t>(gate::open)};
    progress progress_;
    live_segment* first_ = nullptr;
    live_segment* newest_ = nullptr;
    std::unique_ptr<live_segment> second_;  // until it is linked
    std::string second_path_;
    std::uint64_t covered_ = 0;
    std::unique_ptr<durability> durability_;
};

}  // namespace

TEST_CASE("a sync between the link to a segment and its first frame does not poison the writer") {
    const temporary_directory directory;
    stepped_writer writer{directory.path()};
    writer.fill_first_segment();
    writer.link();
    CHECK(must(writer.sync()) == 100);
    CHECK_FALSE(writer.log().failure());
    CHECK(writer.newest().synced == first_frame_offset);
    CHECK(writer.covered() == 0);
}

TEST_CASE("no event counts as durable before a sync covered it, however a rollover meets it") {
    const temporary_directory directory;
    stepped_writer writer{directory.path()};
    writer.fill_first_segment();
    writer.link();
    // Had that sync taken the old position for one in the new segment, the frame that arrives
    // during it would make it look sound, and all before 60,000 synced.
    writer.during_sync = [&] { writer.append(1, first_frame_offset + 80); };
    REQUIRE(must(writer.sync()) == 100);
    writer.during_sync = nullptr;
    writer.enter();
    constexpr std::uint64_t end = first_frame_offset + 20 * std::uint64_t{80};
    writer.append(20, end);
    CHECK(must(writer.sync()) == 120);
    CHECK(writer.covered() >= end);
    CHECK(writer.newest().synced == end);
}

TEST_CASE("unsynced bytes are counted across a rollover") {
    const temporary_directory directory;
    stepped_writer writer{directory.path()};
    writer.fill_first_segment();
    CHECK(writer.log().unsynced_bytes() == rolled_at - first_frame_offset);
    writer.link();
    CHECK(writer.log().unsynced_bytes() == rolled_at - first_frame_offset);
    writer.enter();
    CHECK(writer.log().unsynced_bytes() == end_of_first - first_frame_offset);
    writer.append(1, first_frame_offset + 80);
    CHECK(writer.log().unsynced_bytes() == end_of_first - first_frame_offset + 80);
    must(writer.sync());
    CHECK(writer.log().unsynced_bytes() == 0);
}
