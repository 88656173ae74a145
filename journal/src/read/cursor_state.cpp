#include "read/cursor_state.hpp"

#include "format/metadata.hpp"
#include "format/segment_walk.hpp"
#include "os/assertion.hpp"
#include "os/deadline.hpp"
#include "os/file.hpp"
#include "os/sigbus_guard.hpp"
#include "store/directory.hpp"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace pawl::detail {

error cursor_state::here(errc code, std::string detail) const {
    const std::uint64_t ordinal = segment_ ? segment_->header.ordinal : 0;
    return error{.code = code,
                 .offset = offset_,
                 .sequence = sequence_,
                 .file = segment_path(directory_, ordinal).string(),
                 .detail = std::move(detail)};
}

const event* cursor_state::next() {
    if (plain_ && take_plain()) [[likely]]
        return &event_;
    return next_of_any_kind();
}

// Takes the next frame if it is an event of the most common kind: whole, not in a batch, and
// without metadata. Leaves everything else to advance().
inline bool cursor_state::take_plain() noexcept {
    PAWL_ASSERT(segment_ && !left_ && !links_.active() && !failure_);
    if (!has_room_for_header(space_, offset_) || count_guarded_faults() != faults_seen_)
        [[unlikely]]
        return false;
    const std::byte* frame = space_.base + offset_;
    const commit_word word{load_commit(frame)};
    const std::size_t bytes = padded(word.frame_bytes());
    // One comparison for both bounds: a length below a header wraps around.
    const bool possible_length =
        word.frame_bytes() - frame_header_bytes <= max_frame_bytes - frame_header_bytes;
    if (word.flags() != 0 || !possible_length || bytes > space_.bytes - offset_) [[unlikely]]
        return false;
    const std::uint64_t content = content_hash(frame, bytes, word.value());
    const std::uint64_t hash =
        content ^ place_hash(space_.epoch, offset_, load_u64(frame + frame_offset::link));
    if (hash != load_u64(frame + frame_offset::hash) ||
        load_u64(frame + frame_offset::sequence) != sequence_ ||
        load_u32(frame + frame_offset::witness) > sequence_) [[unlikely]]
        return false;
    event_ = event{frame, {ordinal_, offset_}, content};
    ++sequence_;
    point_ = {sequence_, content, hash};
    offset_ += bytes;
    PAWL_ASSERT(offset_ <= space_.bytes);
    return true;
}

void cursor_state::note_kind_of_reading() noexcept {
    plain_ = placed_ && segment_ && !left_ && !links_.active() && !pending_ && !failure_ &&
             !judged_ && options_.show == visibility::published && !reads_part() &&
             options_.verify && !options_.filter && records_.empty();
}

const event* cursor_state::next_of_any_kind() {
    const event* found = look_for_next();
    note_kind_of_reading();
    return found;
}

const event* cursor_state::look_for_next() {
    if (std::exchange(pending_, false))
        return &event_;
    records_.drop_given();
    if (failure_)
        return nullptr;
    for (;;) {
        const step done = advance();
        if (done == step::event)
            return &event_;
        if (done != step::nothing)
            continue;
        if (options_.follow || failure_ || judged_)
            return nullptr;
        const sequence_number stood = sequence_;
        auto end = judge_end();
        if (!end) {
            failure_ = std::move(end.error());
            return nullptr;
        }
        // A writer may have appended more while the end was judged.
        if (*end != end_of_journal::open || stood != sequence_)
            judged_ = *end;
        return nullptr;
    }
}

cursor_state::step cursor_state::advance() {
    if (left_ || !segment_) [[unlikely]]
        return leave_segment();
    // A page may have been lost under the previous event while the caller was using it.
    if (count_guarded_faults() != faults_seen_) [[unlikely]] {
        const std::uint32_t faults = count_guarded_faults();
        if (lost_a_page())
            return step::nothing;
        faults_seen_ = faults;
    }
    if (links_.active())
        return advance_linked();
    while (windowed_ && !has_room_for_header(space_, offset_)) {
        if (!widen())
            return step::nothing;
    }
    if (!has_room_for_header(space_, offset_)) [[unlikely]] {
        fault_ = frame_fault::out_of_room;
        failure_ = here(errc::damaged, std::string{to_string(fault_)});
        return step::nothing;
    }
    const commit_word word{load_commit(space_.base + offset_)};
    if (word.value() == 0) {
        (void)lost_a_page();
        return step::nothing;
    }
    if (offset_ >= verified_to_ && !check_ahead(word)) [[unlikely]]
        return step::nothing;
    PAWL_ASSERT(padded(word.frame_bytes()) <= space_.bytes - offset_);
    if (word.is_system()) [[unlikely]] {
        if (is_end(word)) {
            note_end(word);
        } else {
            records_.note(space_, offset_, word, sequence_);
            offset_ += padded(word.frame_bytes());
            judged_.reset();
        }
        return step::again;
    }
    if (!placed_) {
        pass(word);
        return step::event;
    }
    if (options_.show == visibility::durable && !is_durable(sequence_))
        return step::nothing;
    if (!view_event(offset_, word))
        return step::nothing;
    if (reads_part())
        return take_part(word);
    pass(word);
    if (!is_admitted())
        return step::again;
    records_.give();
    return step::event;
}

bool cursor_state::is_durable(sequence_number sequence) {
    if (durable_.covers(sequence))
        return true;
    if (!durable_.ask_control() && segment_ && !left_ && kind_of(*segment_) != kind::sealed)
        durable_.ask_log(segment_->space(), offset_, sequence_);
    return durable_.covers(sequence);
}

// Called when there is no segment yet, or the current one has ended.
cursor_state::step cursor_state::leave_segment() {
    auto entered = enter_successor();
    // While a place is looked for, what follows decides where that is.
    const bool may_try_again = placed_ && options_.follow && !looks_for_place_;
    if (!entered && may_try_again && is_shortage(entered.error()))
        return step::nothing;
    if (!entered) {
        failure_ = std::move(entered.error());
        return step::nothing;
    }
    return *entered ? step::again : step::nothing;
}

// Checks the current frame and, if it begins a batch, the whole batch. False if it is not valid.
bool cursor_state::check_ahead(commit_word word) {
    fault_ = check_whole(word);
    // What is not whole in the window may continue after it.
    while (fault_ != frame_fault::none && windowed_) {
        if (!widen())
            return false;
        fault_ = check_whole(word);
    }
    if (fault_ == frame_fault::none) [[likely]]
        return true;
    if (lost_a_page())
        return false;
    if (fault_ == frame_fault::newer) {
        failure_ = here(errc::newer_format, std::string{to_string(fault_)});
        return false;
    }
    auto judged = judge_hole(fault_);
    if (judged) {
        judged_ = *judged;
    } else {
        failure_ = std::move(judged.error());
    }
    return false;
}

// Zeros have replaced a page of the segment, so reading ends here.
bool cursor_state::lost_a_page() {
    PAWL_ASSERT(segment_.has_value());
    if (!segment_->bytes.faulted()) [[likely]]
        return false;
    failure_ = segment_->bytes.whole().error();
    failure_->sequence = sequence_;
    return true;
}

frame_fault cursor_state::check_whole(commit_word word) noexcept {
    if (!options_.verify) {
        if (const auto fault = check_shape(space_, offset_, word); fault != frame_fault::none)
            return fault;
        if (load_u64(space_.base + offset_ + frame_offset::sequence) != sequence_)
            return frame_fault::wrong_sequence;
        return is_understood(word) ? frame_fault::none : frame_fault::newer;
    }
    const unit_check unit = check_unit(space_, offset_, sequence_);
    verified_to_ = unit.end;
    PAWL_ASSERT(unit.fault != frame_fault::none ||
                (unit.end > offset_ && unit.end <= space_.bytes));
    return unit.fault;
}

bool cursor_state::widen() {
    PAWL_ASSERT(windowed_ && segment_);
    if (window_.reaches_end() || offset_ >= segment_->bytes.size()) {
        // Whatever is wrong here is checked and reported from the file's mapping.
        windowed_ = false;
        space_ = segment_->space();
        return true;
    }
    if (auto widened = window_.widen(offset_); !widened) {
        failure_ = std::move(widened.error());
        failure_->sequence = sequence_;
        return false;
    }
    space_ = window_.space();
    PAWL_ASSERT(space_.bytes > offset_);
    return true;
}

bool cursor_state::view_event(std::uint64_t offset, commit_word word) {
    const frame_view view = view_frame(space_.base + offset, word);
    if (!view.fault.empty()) [[unlikely]] {
        failure_ = here(errc::malformed, std::string{view.fault});
        return false;
    }
    const std::byte* frame = space_.base + offset;
    event_ = event{frame,
                   {ordinal_, offset},
                   content_hash_of(frame, space_.epoch, offset),
                   view.metadata_bytes,
                   records_.take_digest()};
    return true;
}

void cursor_state::pass(commit_word word) noexcept {
    const std::byte* frame = space_.base + offset_;
    ++sequence_;
    point_ = {sequence_, content_hash_of(frame, space_.epoch, offset_),
              load_u64(frame + frame_offset::hash)};
    if (!placed_)
        records_.drop();
    offset_ += padded(word.frame_bytes());
    judged_.reset();
}

void cursor_state::note_end(commit_word word) noexcept {
    walk_end end{.offset = offset_, .sequence = sequence_};
    take_end(end, space_.base + offset_, word);
    left_ = end_of(segment_->header, end);
    judged_.reset();
}

void cursor_state::adopt(read_segment segment, kind which) noexcept {
    segment_ = std::move(segment);
    ordinal_ = segment_->header.ordinal;
    windowed_ = which == kind::sealed && !reads_part();
    space_ = segment_->space();
    if (windowed_) {
        window_.enter(segment_->source, space_.bytes, space_.epoch);
        space_ = window_.space();
    }
    offset_ = first_frame_offset;
    verified_to_ = 0;
    judged_.reset();
    left_.reset();
    links_.leave();
    durable_.enter_segment();
}

void cursor_state::go_on_in(read_segment segment) noexcept {
    PAWL_ASSERT(segment_ && segment.header.ordinal == segment_->header.ordinal);
    PAWL_ASSERT(segment.header.epoch == segment_->header.epoch);
    segment_ = std::move(segment);
    windowed_ = false;
    space_ = segment_->space();
    judged_.reset();
}

cursor_state::kind cursor_state::kind_of(const read_segment& segment) {
    const auto index = read_index_header(directory_, id_, segment.header.ordinal);
    if (!index || !is_of_segment(*index, segment))
        return kind::growing;
    durable_.note(index->end_sequence);
    return kind::sealed;
}

// After a prune of the segments that follow the one just left: if they held no events, nothing is
// lost, and reading goes on at the new beginning of the log. False if they did, or if the log that
// begins there is not the one that was read.
result<bool> cursor_state::move_to_begin() {
    auto begin = read_log_begin(directory_, id_);
    if (!begin)
        return std::unexpected(std::move(begin.error()));
    if (!left_ || left_->ordinal >= begin->before.ordinal || left_->sequence != begin->sequence())
        return false;
    if (point_.next == begin->sequence() && point_.content_hash != begin->point.content_hash)
        return false;
    begin_ = *begin;
    left_ = begin_.before;
    PAWL_ASSERT(left_->known && left_->ordinal + 1 == begin_.ordinal);
    return true;
}

result<bool> cursor_state::enter_successor() {
    const bool on_route = next_stop_ < route_.stops.size();
    if (on_route) {
        const std::uint64_t stop = route_.stops[next_stop_++];
        PAWL_ASSERT(!left_ || stop > left_->ordinal);
        if (!left_ || left_->ordinal + 1 != stop) {
            if (auto entered = enter_stop(stop); !entered)
                return std::unexpected(std::move(entered.error()));
            return true;
        }
    } else if (left_ && route_.sealed_end.known && left_->ordinal < route_.sealed_end.ordinal) {
        // No later sealed segment holds the stream.
        left_ = route_.sealed_end;
        sequence_ = left_->sequence;
    }
    const std::uint64_t ordinal = left_ ? left_->ordinal + 1 : begin_.ordinal;
    auto opened = open_segment(directory_, id_, ordinal);
    if (!opened) {
        if (opened.error().code == errc::missing_segment) {
            if (auto there = refuse_pruned(ordinal); !there) {
                auto moved = move_to_begin();
                if (!moved)
                    return std::unexpected(std::move(moved.error()));
                if (*moved)
                    return enter_successor();
                return std::unexpected(std::move(there.error()));
            }
        }
        const bool may_come =
            (!left_ && !begin_.is_pruned()) || (left_ && left_->type == system_type::closed);
        if (opened.error().code == errc::missing_segment && may_come)
            return false;
        opened.error().sequence = sequence_;
        return std::unexpected(std::move(opened.error()));
    }
    const segment_end end = left_.value_or(segment_ ? segment_end{} : begin_.before);
    if (auto wrong = misfit(opened->header, end); !wrong.empty()) {
        // After a *closed* frame, a segment that does not follow can only be one that was prepared
        // and not removed yet.
        const bool spare =
            end.known && end.type == system_type::closed && opened->header.predecessor_epoch == 0;
        if (spare)
            return false;
        error found = here(errc::damaged, std::move(wrong));
        found.offset = 0;
        found.file = opened->bytes.path().string();
        return std::unexpected(std::move(found));
    }
    before_ = end;
    const kind which = kind_of(*opened);
    adopt(std::move(*opened), which);
    if (placed_ && reads_part()) {
        if (auto planned = plan_links(); !planned) {
            return std::unexpected(std::move(planned.error()));
        }
    }
    return true;
}

result<bool> cursor_state::wait(std::chrono::nanoseconds timeout) {
    auto found = wait_for_event(timeout);
    note_kind_of_reading();
    return found;
}

// A filter may pass over the whole journal, which can take longer than the caller wants to wait.
cursor_state::step cursor_state::advance_until(std::chrono::steady_clock::time_point deadline) {
    constexpr int steps_between_looks_at_the_clock = 4096;
    for (int steps = 1; !failure_; ++steps) {
        const step done = advance();
        if (done != step::again)
            return done;
        if (steps % steps_between_looks_at_the_clock == 0) {
            if (std::chrono::steady_clock::now() >= deadline)
                return step::again;
            steps = 0;
        }
    }
    return step::nothing;
}

result<bool> cursor_state::wait_for_event(std::chrono::nanoseconds timeout) {
    constexpr std::chrono::milliseconds look_interval{5};
    constexpr std::chrono::milliseconds usual_sleep{1};
    // The writer wakes a sleeping reader; the reader also looks on its own, for a writer that died
    // or was replaced.
    constexpr std::chrono::seconds until_idle{1};
    constexpr std::chrono::milliseconds idle_sleep{250};
    constexpr int rounds_between_looks_at_the_clock = 64;
    using clock = std::chrono::steady_clock;
    const auto deadline = deadline_after(clock::now(), timeout);
    auto look_at_files = clock::now() + look_interval;
    if (!pending_)
        records_.drop_given();
    for (int round = 0;; ++round) {
        const control_view* control = durable_.control();
        const std::uint32_t seen = control != nullptr ? control->wake_word() : 0;
        const step done = pending_ ? step::event : advance_until(deadline);
        if (failure_)
            return std::unexpected(*failure_);
        pending_ = done == step::event;
        if (pending_) {
            idle_since_.reset();
            return true;
        }
        if (done == step::again)
            return false;
        const bool spinning = options_.wait == wait_strategy::spin;
        if (!spinning || round % rounds_between_looks_at_the_clock == 0) {
            const auto now = clock::now();
            if (now >= deadline)
                return false;
            if (now >= look_at_files) {
                look_at_files = now + look_interval;
                if (auto valid = revalidate(); !valid && !is_shortage(valid.error())) {
                    failure_ = std::move(valid.error());
                    return std::unexpected(*failure_);
                }
            }
        }
        if (options_.wait == wait_strategy::yield)
            ::sched_yield();
        if (options_.wait != wait_strategy::block)
            continue;
        const auto now = clock::now();
        if (!idle_since_)
            idle_since_ = now;
        const std::chrono::nanoseconds pause =
            now - *idle_since_ < until_idle ? usual_sleep : idle_sleep;
        const auto sleep = std::clamp(std::chrono::nanoseconds{deadline - now},
                                      std::chrono::nanoseconds{0}, pause);
        if (control != nullptr)
            control->sleep(seen, static_cast<std::uint64_t>(sleep.count()));
        else
            std::this_thread::sleep_for(sleep);
    }
}

result<end_of_journal> cursor_state::finish() {
    if (failure_)
        return std::unexpected(*failure_);
    if (pending_)
        return end_of_journal::open;
    auto end = judged_ ? result<end_of_journal>{*judged_} : judge_end();
    if (!end)
        failure_ = end.error();
    note_kind_of_reading();
    return end;
}

}  // namespace pawl::detail
