// An appending thread that is moved through a rollover step by step, and a durability that syncs
// between the steps.
#pragma once

#include "append/live_segment.hpp"
#include "os/io_hook.hpp"
#include "store/control.hpp"
#include "store/directory.hpp"
#include "store/segment_file.hpp"
#include "upkeep/durability.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace pawl::test {

class stepped_writer {
  public:
    // Two segments of the smallest size, of which the first ends at `rolled_at`, the end of a
    // frame.
    [[nodiscard]] static result<std::unique_ptr<stepped_writer>> start(
        const std::filesystem::path& directory, std::uint64_t rolled_at) {
        auto held = detail::directory_handle::hold(directory);
        if (!held)
            return std::unexpected(std::move(held.error()));
        detail::segment_request request{
            .directory = *held, .id = {1}, .segment_bytes = detail::min_segment_bytes};
        auto first = detail::create_segment(request);
        request.ordinal = 1;
        auto second = detail::create_segment(request);
        auto identity = detail::create_identity(*held, detail::min_segment_bytes, {}, 0600);
        auto control = detail::control_page::open_for_writing(*held, {1}, 0);
        auto which = held->identity_of(detail::identity_name);
        if (!first || !second || !identity || !control || !which)
            return fail(errc::io, "cannot make the files of a stepped writer");
        return std::unique_ptr<stepped_writer>{
            new stepped_writer{rolled_at, std::move(*first), std::move(*second),
                               std::move(*control), detail::place_check{*held, *which}}};
    }
    ~stepped_writer() { detail::set_io_hook(nullptr, nullptr); }
    stepped_writer(const stepped_writer&) = delete;
    stepped_writer& operator=(const stepped_writer&) = delete;

    void fill_first_segment() {
        store_frames(*first_, rolled_at_ + detail::end_frame_bytes);
        publish(100, rolled_at_);
    }
    // The first half of a rollover.
    void link() {
        const std::uint64_t end = rolled_at_ + detail::end_frame_bytes;
        detail::live_segment* second = second_.release();
        first_->link(*second, end, end);
        newest_ = second;
    }
    // The second half.
    void enter() { publish(100, newest_->begin + detail::first_frame_offset); }
    // Publishes events that end at `end` of the second segment.
    void append(std::uint64_t events, std::uint64_t end) {
        store_frames(*newest_, end);
        publish(progress_.sequence + events, newest_->begin + end);
    }

    [[nodiscard]] result<sequence_number> sync() { return durability_->sync(); }
    // Called during each sync of the second segment.
    std::function<void()> during_sync;
    // The end of what the syncs of the second segment covered, since forget_covered().
    [[nodiscard]] std::uint64_t covered() const noexcept { return covered_; }
    void forget_covered() noexcept { covered_ = 0; }
    [[nodiscard]] const detail::durability& log() const noexcept { return *durability_; }
    [[nodiscard]] const detail::live_segment& newest() const noexcept { return *newest_; }

  private:
    stepped_writer(std::uint64_t rolled_at, detail::writable_segment first,
                   detail::writable_segment second, detail::control_page control,
                   detail::place_check place)
        : rolled_at_{rolled_at},
          second_{std::make_unique<detail::live_segment>(std::move(second))},
          second_path_{second_->bytes.path().string()} {
        auto filled = std::make_unique<detail::live_segment>(std::move(first));
        first_ = filled.get();
        durability_ = std::make_unique<detail::durability>(
            std::move(control), &gate_word_, 0, std::move(place),
            [](std::unique_ptr<detail::live_segment>) {});
        durability_->attach(&progress_, std::move(filled));
        detail::set_io_hook(
            [](void* context, const detail::io_event& event) {
                return static_cast<stepped_writer*>(context)->note(event);
            },
            this);
    }

    static void store_frames(const detail::live_segment& segment, std::uint64_t end) {
        std::memset(segment.bytes.data() + detail::first_frame_offset, 0x4e,
                    end - detail::first_frame_offset);
    }
    void publish(sequence_number sequence, std::uint64_t position) {
        progress_.position.store(position, std::memory_order_release);
        progress_.sequence.store(sequence, std::memory_order_release);
    }
    int note(const detail::io_event& event) {
        if (event.operation != detail::io_operation::sync_range || second_path_ != event.path)
            return 0;
        covered_ = std::max(covered_, event.offset + event.bytes);
        if (during_sync)
            during_sync();
        return 0;
    }

    std::uint64_t rolled_at_;
    std::atomic<std::uint32_t> gate_word_{static_cast<std::uint32_t>(detail::gate::open)};
    detail::progress progress_;
    detail::live_segment* first_ = nullptr;
    detail::live_segment* newest_ = nullptr;
    std::unique_ptr<detail::live_segment> second_;  // until it is linked
    std::string second_path_;
    std::uint64_t covered_ = 0;
    std::unique_ptr<detail::durability> durability_;
};

}  // namespace pawl::test
