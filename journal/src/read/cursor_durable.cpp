// How a cursor that returns only durable events knows which are durable.
#include "format/segment_walk.hpp"
#include "os/deadline.hpp"
#include "read/cursor_state.hpp"
#include "store/directory.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace pawl::detail {

bool cursor_state::is_durable(sequence_number sequence) {
    if (sequence < durable_seen_)
        return true;
    constexpr std::chrono::milliseconds look_interval{5};
    const auto now = std::chrono::steady_clock::now();
    if (now >= look_at_control_) {
        look_at_control_ = deadline_after(now, look_interval);
        refresh_control();
        if (!control_)
            prove_durable_from_log();
    }
    if (control_) {
        durable_seen_ = std::max(
            {durable_seen_, control_->durable().value_or(0), control_->stored_watermark()});
    }
    return sequence < durable_seen_;
}

// A writer that opens the journal may replace the control file; the mapping then still shows the
// old one, in which nothing changes any more. An overlay file system does the same at the first
// store but keeps the inode number, so the file is also mapped again if its heartbeat has stopped.
// If no file has the name, a writer may still store to the one that is mapped.
void cursor_state::refresh_control() {
    constexpr std::chrono::seconds patience{1};
    const auto now = std::chrono::steady_clock::now();
    if (control_ && control_->has_its_name(directory_)) {
        const std::uint64_t wall = system_time_ns();
        const std::uint64_t age = wall - std::min(wall, control_->heartbeat_ns());
        if (age < std::chrono::nanoseconds::period::den || now < map_control_)
            return;
    }
    map_control_ = deadline_after(now, patience);
    if (auto fresh = control_view::open(directory_, id_))
        control_ = std::move(*fresh);
}

// Without a control file, the log itself proves what is durable, only later: by an index, by a
// frame's witness, and by the end frames that are stored only after everything before them is
// synced.
void cursor_state::prove_durable_from_log() {
    if (!segment_ || left_ || kind_of(*segment_) == kind::sealed)
        return;
    if (proof_offset_ == 0) {
        proof_offset_ = offset_;
        proof_sequence_ = sequence_;
    }
    const frame_space space = segment_->space();
    while (check_in_order(space, proof_offset_, proof_sequence_) == frame_fault::none) {
        const std::byte* frame = space.base + proof_offset_;
        const commit_word word{load_commit(frame)};
        durable_seen_ =
            std::max(durable_seen_, proof_sequence_ - load_u32(frame + frame_offset::witness));
        if (is_end(word)) {
            if (word.type() != static_cast<std::uint16_t>(system_type::rolled))
                durable_seen_ = std::max(durable_seen_, proof_sequence_);
            return;
        }
        proof_sequence_ += word.is_system() ? 0 : 1;
        proof_offset_ += padded(word.frame_bytes());
    }
}

}  // namespace pawl::detail
