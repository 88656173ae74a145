// The writer's table of streams: one probe per append, and never rehashed while an append waits.
#pragma once

#include "store/head_slots.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace pawl::detail {

// When the table fills up, a background thread offers an empty one of twice the size; from then on
// each lookup moves a few entries over, until the old one is empty and the background frees it.
class stream_table {
  public:
    explicit stream_table(head_slots slots) noexcept
        : current_{std::move(slots)}, known_{current_.used()} {
        note_load();
    }
    ~stream_table() {
        delete offered_.load(std::memory_order_acquire);
        delete drained_.load(std::memory_order_acquire);
    }
    stream_table(const stream_table&) = delete;
    stream_table& operator=(const stream_table&) = delete;

    // The writer's thread.

    // Null if the table is full and no larger one has been offered yet.
    [[nodiscard]] stream_head* find_or_insert(stream_id stream) noexcept {
        if (old_ == nullptr) [[likely]] {
            const auto used = current_.used();
            stream_head* head = current_.find_or_insert(stream);
            if (current_.used() == used && head != nullptr) [[likely]]
                return head;
            return inserted(stream, head);
        }
        return find_while_moving(stream);
    }
    // Null if the stream has no entry; does not add one.
    [[nodiscard]] stream_head* find_known(stream_id stream) noexcept {
        if (old_ == nullptr) [[likely]]
            return current_.find(stream);
        return find(stream) == nullptr ? nullptr : find_while_moving(stream);
    }
    // Removes an entry that was added for an event that was then not appended. While entries are
    // being moved to a larger table, it stays with version 0: removing it could disturb what has
    // not been moved yet.
    void forget(stream_id stream) noexcept {
        if (old_ != nullptr)
            return;
        const std::uint64_t used = current_.used();
        current_.erase(stream);
        known_ -= used - current_.used();
        note_load();
    }
    [[nodiscard]] const stream_head* find(stream_id stream) const noexcept {
        if (const stream_head* head = current_.find(stream))
            return head;
        return old_ == nullptr ? nullptr : old_->find(stream);
    }
    // A background thread.

    // Offers a larger table when one is wanted and frees one that was drained.
    [[nodiscard]] result<void> serve();
    // Whether serve() would offer a table.
    [[nodiscard]] bool wants_larger() const noexcept {
        return wanted_.load(std::memory_order_relaxed) != 0;
    }
    [[nodiscard]] std::uint64_t streams() const noexcept {
        return used_.load(std::memory_order_relaxed);
    }

  private:
    [[nodiscard]] stream_head* inserted(stream_id stream, stream_head* head) noexcept;
    [[nodiscard]] stream_head* find_while_moving(stream_id stream) noexcept;
    void move_some() noexcept;
    void note_load() noexcept {
        used_.store(known_, std::memory_order_relaxed);
        wanted_.store(current_.wants_to_grow() ? current_.slots() * 2 : 0,
                      std::memory_order_relaxed);
    }

    head_slots current_;
    std::unique_ptr<head_slots> old_;
    std::uint64_t known_ = 0;  // streams, wherever their slots are
    std::uint64_t moved_ = 0;  // slots of old_ that have been moved
    std::atomic<std::uint64_t> used_{0};
    std::atomic<std::uint64_t> wanted_{0};  // slots of the table that is wanted; 0: none
    std::uint64_t offered_slots_ = 0;       // of the last offer; the background's own
    std::atomic<head_slots*> offered_{nullptr};
    std::atomic<head_slots*> drained_{nullptr};
};

}  // namespace pawl::detail
