#include "append/stream_table.hpp"

#include "os/assertion.hpp"

#include <algorithm>
#include <new>
#include <span>
#include <utility>

namespace pawl::detail {

void stream_table::begin_segment(std::uint64_t ordinal) noexcept {
    if (segments_ == touched_.size()) {
        // Entries of the oldest segment then count as the next one's: too many, never too few.
        touched_[1].entries += touched_[0].entries;
        std::shift_left(touched_.begin(), touched_.end(), 1);
        --segments_;
    }
    touched_[segments_++] = {ordinal, 0};
}

std::uint64_t stream_table::most_kept() const noexcept {
    std::uint64_t kept = left_behind_;
    for (const touched_entries& each : std::span{touched_}.first(segments_))
        kept += each.ordinal >= beneath_->covered() ? each.entries : 0;
    return kept;
}

// Called after an insert succeeded or was refused: switches to another table if one is offered.
stream_head* stream_table::inserted(stream_id stream, stream_head* head) noexcept {
    PAWL_ASSERT(old_ == nullptr);
    if (current_.wants_to_grow()) {
        const head_slots* offer = offered_.load(std::memory_order_acquire);
        if (offer != nullptr && offer->slots() >= slots_wanted()) {
            // Only this thread takes an offer; the background can at most replace it by a larger
            // one.
            old_.reset(offered_.exchange(nullptr, std::memory_order_acq_rel));
            std::swap(current_, *old_);
            moved_ = 0;
            wanted_.store(0, std::memory_order_relaxed);
            taken_.fetch_add(1, std::memory_order_release);
            return find_while_moving(stream);
        }
    }
    note_load();
    return head;
}

stream_head* stream_table::find_while_moving(stream_id stream) noexcept {
    PAWL_ASSERT(old_ != nullptr);
    const bool known = current_.find(stream) != nullptr;
    stream_head* head = current_.find_or_insert(stream);
    if (head != nullptr && !known) {
        if (const stream_head* before = old_->find(stream))
            *head = *before;
    }
    // Only now, because it may leave the entry behind. Inserting moves no other entry.
    move_some();
    note_load();
    return head;
}

// An entry that the runs hold stays behind; those of new streams, which have no event yet, do not.
void stream_table::move_some() noexcept {
    constexpr std::uint64_t slots_a_step = 16;
    PAWL_ASSERT(old_ != nullptr && old_->slots() <= current_.slots());
    const auto slots = old_->all();
    const std::uint64_t end = std::min<std::uint64_t>(moved_ + slots_a_step, slots.size());
    for (; moved_ < end; ++moved_) {
        const stream_head& head = slots[moved_];
        if (head.stream == no_stream_id || current_.find(head.stream) != nullptr)
            continue;
        if (head.version != 0 && unpack_position(head.last).ordinal < beneath_->covered())
            continue;
        stream_head* into = current_.find_or_insert(head.stream);
        PAWL_ASSERT(into != nullptr);
        if (into == nullptr)
            return;  // cannot happen: slots_wanted() has left room; it stays where it is
        *into = head;
    }
    if (moved_ == slots.size() && drained_.load(std::memory_order_acquire) == nullptr) {
        drained_.store(old_.release(), std::memory_order_release);
    }
}

result<void> stream_table::serve() {
    delete drained_.exchange(nullptr, std::memory_order_acq_rel);
    // Read in this order: a thread that takes an offer first notes that it wants no more.
    const std::uint64_t taken = taken_.load(std::memory_order_acquire);
    const std::uint64_t wanted = wanted_.load(std::memory_order_relaxed);
    if (wanted == 0)
        return {};
    // The appending thread may take the offer at any time, so compare the size that was noted here
    // instead of looking into the offer.
    if (taken != made_ && wanted == offered_slots_)
        return {};
    auto larger = head_slots::make(wanted);
    if (!larger)
        return std::unexpected(std::move(larger.error()));
    auto* offer = new (std::nothrow) head_slots{std::move(*larger)};
    if (offer == nullptr)
        return fail(errc::out_of_memory);
    if (const auto* replaced = offered_.exchange(offer, std::memory_order_acq_rel))
        delete replaced;
    else
        ++made_;
    offered_slots_ = wanted;
    return {};
}

}  // namespace pawl::detail
