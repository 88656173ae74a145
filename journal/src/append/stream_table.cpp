#include "append/stream_table.hpp"

#include "os/assertion.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace pawl::detail {

// Called after an insert succeeded or was refused: switches to a larger table if one is offered.
stream_head* stream_table::inserted(stream_id stream, stream_head* head) noexcept {
    PAWL_ASSERT(old_ == nullptr);
    if (head != nullptr)
        ++known_;
    if (current_.wants_to_grow()) {
        const head_slots* offer = offered_.load(std::memory_order_acquire);
        if (offer != nullptr && offer->slots() > current_.slots()) {
            // Only this thread takes an offer; the background can at most replace it by a larger
            // one.
            old_.reset(offered_.exchange(nullptr, std::memory_order_acq_rel));
            std::swap(current_, *old_);
            moved_ = 0;
            return find_while_moving(stream);
        }
    }
    note_load();
    return head;
}

stream_head* stream_table::find_while_moving(stream_id stream) noexcept {
    if (old_ != nullptr)
        move_some();
    const bool known = current_.find(stream) != nullptr;
    stream_head* head = current_.find_or_insert(stream);
    if (head != nullptr && !known) {
        if (const stream_head* before = old_ == nullptr ? nullptr : old_->find(stream))
            *head = *before;
        else
            ++known_;
    }
    note_load();
    return head;
}

void stream_table::move_some() noexcept {
    constexpr std::uint64_t slots_a_step = 16;
    PAWL_ASSERT(old_ != nullptr && old_->slots() < current_.slots());
    const auto slots = old_->all();
    const std::uint64_t end = std::min<std::uint64_t>(moved_ + slots_a_step, slots.size());
    for (; moved_ < end; ++moved_) {
        const stream_head& head = slots[moved_];
        if (head.stream == no_stream_id || current_.find(head.stream) != nullptr)
            continue;
        if (stream_head* into = current_.find_or_insert(head.stream))
            *into = head;
    }
    if (moved_ == slots.size() && drained_.load(std::memory_order_acquire) == nullptr) {
        PAWL_ASSERT(current_.used() >= old_->used());
        drained_.store(old_.release(), std::memory_order_release);
    }
}

result<void> stream_table::serve() {
    delete drained_.exchange(nullptr, std::memory_order_acq_rel);
    const std::uint64_t wanted = wanted_.load(std::memory_order_relaxed);
    if (wanted == 0)
        return {};
    // The appending thread may take the offer at any time, so compare the size that was noted here
    // instead of looking into the offer.
    if (wanted == offered_slots_)
        return {};
    auto larger = head_slots::make(wanted);
    if (!larger)
        return std::unexpected(std::move(larger.error()));
    auto* offer = new (std::nothrow) head_slots{std::move(*larger)};
    if (offer == nullptr)
        return fail(errc::out_of_memory);
    delete offered_.exchange(offer, std::memory_order_acq_rel);
    PAWL_ASSERT(wanted > offered_slots_);
    offered_slots_ = wanted;
    return {};
}

}  // namespace pawl::detail
