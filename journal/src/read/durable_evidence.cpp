#include "read/durable_evidence.hpp"

#include "format/segment_walk.hpp"
#include "os/assertion.hpp"
#include "os/deadline.hpp"
#include "store/directory.hpp"

namespace pawl::detail {

bool durable_evidence::ask_control() {
    constexpr std::chrono::milliseconds look_interval{5};
    bool due = false;
    const auto now = std::chrono::steady_clock::now();
    if (now >= look_) {
        look_ = deadline_after(now, look_interval);
        refresh();
        due = true;
    }
    if (control_)
        note(std::max(control_->durable().value_or(0), control_->stored_watermark()));
    return control_ || !due;
}

// A writer that opens the journal may replace the control file; the mapping then still shows the
// old one, in which nothing changes any more. An overlay file system does the same at the first
// store but keeps the inode number, so the file is also mapped again if its heartbeat has stopped.
// If no file has the name, a writer may still store to the one that is mapped.
void durable_evidence::refresh() {
    constexpr std::chrono::seconds patience{1};
    const auto now = std::chrono::steady_clock::now();
    if (control_ && control_->has_its_name(directory_)) {
        const std::uint64_t wall = system_time_ns();
        const std::uint64_t age = wall - std::min(wall, control_->heartbeat_ns());
        if (age < std::chrono::nanoseconds::period::den || now < map_)
            return;
    }
    map_ = deadline_after(now, patience);
    if (auto fresh = control_view::open(directory_, id_))
        control_ = std::move(*fresh);
}

void durable_evidence::ask_log(const frame_space& space, std::uint64_t offset,
                               sequence_number sequence) noexcept {
    PAWL_ASSERT(offset >= first_frame_offset && offset % frame_alignment == 0);
    if (walked_to_ == 0) {
        walked_to_ = offset;
        walked_sequence_ = sequence;
    }
    while (check_in_order(space, walked_to_, walked_sequence_) == frame_fault::none) {
        const std::byte* frame = space.base + walked_to_;
        const commit_word word{load_commit(frame)};
        note(walked_sequence_ - load_u32(frame + frame_offset::witness));
        if (is_end(word)) {
            if (word.type() != static_cast<std::uint16_t>(system_type::rolled))
                note(walked_sequence_);
            return;
        }
        walked_sequence_ += word.is_system() ? 0 : 1;
        walked_to_ += padded(word.frame_bytes());
    }
}

}  // namespace pawl::detail
