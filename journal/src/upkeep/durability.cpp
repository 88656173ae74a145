#include "upkeep/durability.hpp"

#include "os/assertion.hpp"
#include "store/unwritten_blocks.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

// The protocol of a sync. The watermark says that every event below it survives a power cut, so it
// moves only after the disk has confirmed all bytes of all frames below it:
//
// 1. Read how far the writer has published (`reached`). What it publishes later is not covered,
//    even if the sync happens to write it.
// 2. Sync every segment from the oldest one that is not wholly synced up to the current one, each
//    from where its last sync ended. A crash during this step leaves any subset of the pages;
//    recovery cuts at the first frame that is not whole, which lies at or after the old watermark,
//    because everything before it was confirmed earlier.
// 3. Look at the bytes again (still_there): after a file was cut short, or after the file system
//    has failed for another caller, msync may report success for stores that are lost.
// 4. Raise the watermark in memory, for waiting threads, and in the control page, for readers. A
//    crash before this step leaves events that are durable and not acknowledged: more than
//    promised. The control page is not synced here. After a power cut it may state an older
//    watermark, which only makes recovery prove less; the frames themselves carry a witness of the
//    watermark at the time they were written, and store_watermark() writes it out once the journal
//    is idle.
//
// A sync that fails ends all acknowledging for good: the kernel may have marked the pages clean
// although they were never written, so a second sync that succeeds proves nothing. The writer is
// poisoned, and a recovery stores and syncs those frames again.
namespace pawl::detail {

durability::durability(control_page control, std::atomic<std::uint32_t>* gate_word,
                       sequence_number durable, place_check place, left_segment left)
    : control_{std::move(control)},
      gate_word_{gate_word},
      place_{std::move(place)},
      left_{std::move(left)},
      durable_{durable} {
    PAWL_ASSERT(gate_word_ != nullptr && left_ != nullptr);
    control_.set_durable(durable);
    control_.set_published(durable);
    control_.beat();
}

durability::~durability() {
    while (oldest_ != nullptr)
        oldest_.reset(oldest_->next.load(std::memory_order_acquire));
}

void durability::attach(const progress* shared, std::unique_ptr<live_segment> first) noexcept {
    PAWL_ASSERT(progress_ == nullptr && shared != nullptr && first != nullptr);
    progress_ = shared;
    oldest_ = std::move(first);
}

// Once the file system has marked a page as written, later syncs of it have nothing to mark.
result<void> durability::see_written(live_segment& segment, std::uint64_t to) {
    PAWL_ASSERT(to <= segment.bytes.size() && segment.written % page_bytes() == 0);
    const std::uint64_t from = std::max(segment.synced, segment.written);
    if (from >= to)
        return {};
    if (auto marked = check_written(segment.source, from, to - from); !marked)
        return marked;
    segment.written = (to + page_bytes() - 1) / page_bytes() * page_bytes();
    return {};
}

// After a file is truncated our stores vanish, and a file system may report success for a sync of
// what it has lost: read the bytes again, and ask the file system, to detect both.
result<void> durability::still_there(live_segment& segment, std::uint64_t to) {
    PAWL_ASSERT(to > segment.synced && to <= segment.bytes.size());
    const std::byte* base = segment.bytes.data();
    (void)load_commit(base + to - frame_alignment);
    const bool first_is_there = load_commit(base + segment.synced) != 0;
    if (auto whole = segment.bytes.whole(); !whole)
        return whole;
    if (auto kept = segment.source.check_synced(); !kept)
        return kept;
    if (first_is_there)
        return see_written(segment, to);
    return std::unexpected(error{.code = errc::io,
                                 .offset = segment.synced,
                                 .file = segment.bytes.path().string(),
                                 .detail = "the bytes that were written there are gone"});
}

// Unmaps the pages before `to`, which a sync is about to clean and to which no thread stores any
// more. The kernel write-protects each page that is still mapped when it cleans it, with an
// interrupt to every processor for each; unmapping them together costs one.
void durability::let_go(const live_segment& segment, std::uint64_t to) noexcept {
    PAWL_ASSERT(to >= segment.synced && to <= segment.bytes.size());
    const std::uint64_t from = segment.synced / page_bytes() * page_bytes();
    const std::uint64_t end = to / page_bytes() * page_bytes();
    if (end > from + page_bytes())
        segment.bytes.drop(from, end - from);
}

// Syncs from the oldest segment on. The appending thread may be at any point meanwhile, even
// between linking the next segment and storing its first frame there: the position then lies before
// the new segment, of which nothing is synced. The position is read before the link, so if there is
// no next segment, it lies in this one.
result<void> durability::sync_chain(bool only_left) {
    for (;;) {
        PAWL_ASSERT(oldest_ != nullptr);
        const std::uint64_t position = progress_->position.load(std::memory_order_acquire);
        live_segment* next = oldest_->next.load(std::memory_order_acquire);
        if (next == nullptr && only_left)
            return {};
        const std::uint64_t to = next == nullptr ? oldest_->end_of_frames(position)
                                                 : oldest_->end.load(std::memory_order_relaxed);
        PAWL_ASSERT(to >= oldest_->synced && to <= oldest_->bytes.size());
        if (to > oldest_->synced) {
            let_go(*oldest_, next == nullptr ? to : oldest_->bytes.size());
            const std::uint64_t bytes = to - oldest_->synced;
            if (auto synced = oldest_->bytes.sync(oldest_->synced, bytes); !synced)
                return synced;
            if (auto kept = still_there(*oldest_, to); !kept)
                return kept;
            oldest_->synced = to;
        }
        if (next == nullptr)
            return {};
        PAWL_ASSERT(oldest_->synced == to && next->begin >= oldest_->begin);
        PAWL_ASSERT(next->header.ordinal == oldest_->header.ordinal + 1);
        std::unique_ptr<live_segment> complete{std::exchange(oldest_, nullptr)};
        oldest_.reset(next);
        left_(std::move(complete));
    }
}

result<sequence_number> durability::sync() {
    PAWL_ASSERT(progress_ != nullptr);
    const sequence_number wanted = progress_->sequence.load(std::memory_order_acquire);
    const std::scoped_lock guard{mutex_};
    if (failure_)
        return std::unexpected(poison_answer());
    // The appending thread has found a lost page: nothing more may be acknowledged, even if it is
    // durable.
    if (gate_of(gate_word_->load(std::memory_order_relaxed)) == gate::poisoned) {
        if (auto whole = find_lost_page(); !whole)
            return std::unexpected(poisoned_locked(std::move(whole.error())));
    }
    if (durable() >= wanted)
        return durable();
    if (place_.is_due()) {
        if (auto there = look_around_locked(); !there)
            return std::unexpected(std::move(there.error()));
    }
    const sequence_number reached = progress_->sequence.load(std::memory_order_acquire);
    const auto began = std::chrono::steady_clock::now();
    if (auto synced = sync_chain(false); !synced) {
        return std::unexpected(poisoned_locked(std::move(synced.error())));
    }
    sync_times_.add(std::chrono::steady_clock::now() - began);
    PAWL_ASSERT(reached >= wanted && reached >= durable());
    durable_.store(reached, std::memory_order_release);
    control_.set_durable(reached);
    return reached;
}

result<void> durability::sync_to_end() {
    const std::scoped_lock guard{mutex_};
    if (failure_)
        return std::unexpected(poison_answer());
    if (auto there = look_around_locked(); !there)
        return there;
    const sequence_number reached = progress_->sequence.load(std::memory_order_acquire);
    if (auto synced = sync_chain(false); !synced) {
        return std::unexpected(poisoned_locked(std::move(synced.error())));
    }
    PAWL_ASSERT(reached >= durable());
    durable_.store(reached, std::memory_order_release);
    control_.set_durable(reached);
    return {};
}

result<void> durability::sync_left_segments() {
    const std::scoped_lock guard{mutex_};
    if (failure_)
        return {};
    PAWL_ASSERT(oldest_ != nullptr);
    if (oldest_->next.load(std::memory_order_acquire) == nullptr)
        return {};
    if (auto synced = sync_chain(true); !synced) {
        return std::unexpected(poisoned_locked(std::move(synced.error())));
    }
    return {};
}

result<void> durability::look_for_lost_pages() {
    const std::scoped_lock guard{mutex_};
    if (failure_)
        return {};
    if (auto whole = find_lost_page(); !whole)
        return std::unexpected(poisoned_locked(std::move(whole.error())));
    return {};
}

result<void> durability::look_around() {
    const std::unique_lock guard{mutex_, std::try_to_lock};
    if (!guard || failure_ || !place_.is_due())
        return {};
    return look_around_locked();
}

result<void> durability::look_around_locked() {
    auto there = place_.check(oldest_.get());
    return there ? there : std::unexpected(poisoned_locked(std::move(there.error())));
}

result<void> durability::find_lost_page() const {
    for (const live_segment* segment = oldest_.get(); segment != nullptr;
         segment = segment->next.load(std::memory_order_acquire)) {
        if (auto whole = segment->bytes.whole(); !whole)
            return whole;
    }
    return {};
}

std::uint64_t durability::unsynced_bytes() const noexcept {
    const std::scoped_lock guard{mutex_};
    PAWL_ASSERT(progress_ != nullptr && oldest_ != nullptr);
    const std::uint64_t position = progress_->position.load(std::memory_order_acquire);
    const std::uint64_t synced = oldest_->begin + oldest_->synced;
    return position > synced ? position - synced : 0;
}

result<void> durability::store_watermark() {
    const std::scoped_lock guard{mutex_};
    const sequence_number now = durable();
    PAWL_ASSERT(now >= stored_watermark_);
    if (failure_ || now == stored_watermark_)
        return {};
    if (auto stored = control_.store_watermark(now); !stored) {
        return std::unexpected(poisoned_locked(std::move(stored.error())));
    }
    stored_watermark_ = now;
    return {};
}

void durability::report_status(bool beat) noexcept {
    // Read in this order, durable is never more than published.
    const sequence_number durable_now = durable();
    const sequence_number published = progress_->sequence.load(std::memory_order_acquire);
    PAWL_ASSERT(durable_now <= published);
    PAWL_ASSERT(published >= reported_ && durable_now >= reported_durable_);
    if (beat)
        control_.beat();
    if (published == reported_ && durable_now == reported_durable_)
        return;
    reported_ = published;
    reported_durable_ = durable_now;
    control_.set_published(published);
    control_.wake_readers();
}

void durability::set_state(control_state state, int os_error) noexcept {
    const std::scoped_lock guard{mutex_};
    if (!failure_ || state == control_state::closed)
        control_.set_state(state, os_error);
}

error durability::poison_answer() const {
    PAWL_ASSERT(failure_.has_value());
    error answer = copy_of(*failure_);
    if (answer.code != errc::damaged) {
        answer.cause = answer.code;
        answer.code = errc::poisoned;
    }
    return answer;
}

error durability::poisoned_locked(error why) {
    if (!failure_) {
        (void)end_gate(*gate_word_, poisoned_gate(why.code, why.os_error));
        control_.set_state(control_state::poisoned, why.os_error);
        failure_ = std::move(why);
    }
    PAWL_ASSERT(!is_open(gate_word_->load(std::memory_order_relaxed)));
    return poison_answer();
}

error durability::poison(error why) {
    const std::scoped_lock guard{mutex_};
    // If a call failed because the directory is gone, report that instead of the call's error.
    if (why.code == errc::not_found || why.code == errc::missing_segment) {
        if (auto there = place_.check(oldest_.get()); !there)
            why = std::move(there.error());
    }
    return poisoned_locked(std::move(why));
}

std::optional<error> durability::failure() const {
    const std::scoped_lock guard{mutex_};
    if (!failure_)
        return std::nullopt;
    return poison_answer();
}

}  // namespace pawl::detail
