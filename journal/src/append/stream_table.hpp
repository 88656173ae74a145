// The writer's table of streams: one probe per append, and never rehashed while an append waits.
#pragma once

#include "append/heads_beneath.hpp"
#include "store/head_slots.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

namespace pawl::detail {

// It holds the streams that the writer has touched, as far as the runs of heads beneath it do not
// hold them. When it fills up, a background thread offers an empty one; from then on each lookup
// moves a few entries over, except those that the runs have meanwhile, until the old one is empty
// and the background frees it. The new one is larger only if few entries could stay behind. So the
// table's memory depends on how many streams a few segments hold, and not on how many there are.
class stream_table {
  public:
    // `known` is how many streams there are, in the table or beneath it.
    stream_table(head_slots slots, const heads_beneath& beneath, std::uint64_t known) noexcept
        : current_{std::move(slots)}, beneath_{&beneath}, known_{known} {
        note_load();
    }
    ~stream_table() {
        delete offered_.load(std::memory_order_acquire);
        delete drained_.load(std::memory_order_acquire);
    }
    stream_table(const stream_table&) = delete;
    stream_table& operator=(const stream_table&) = delete;

    // The writer's thread.

    // The entry of a stream, which is new and has version 0 if the table had none. Null if the
    // table is full and no other one has been offered yet.
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
    // Counts a stream that the log did not hold before, for which an entry was added.
    void note_new() noexcept {
        ++known_;
        streams_.store(known_, std::memory_order_relaxed);
    }
    // Counts an entry whose last event will lie in this segment, which it did not before.
    void note_touch(std::uint64_t ordinal) noexcept {
        if (touched_[segments_ - 1].ordinal != ordinal) [[unlikely]]
            begin_segment(ordinal);
        ++touched_[segments_ - 1].entries;
    }
    // Counts the entries that the table began with, as if they lay in this segment.
    void note_first(std::uint64_t ordinal) noexcept { touched_[0] = {ordinal, current_.used()}; }
    // Removes the entry of a new stream, because its event was then not appended. While entries are
    // being moved to another table, it stays with version 0: removing it could disturb what has not
    // been moved yet.
    void forget(stream_id stream) noexcept {
        if (old_ != nullptr) {
            ++left_behind_;
            return;
        }
        const std::uint64_t used = current_.used();
        current_.erase(stream);
        known_ -= used - current_.used();
        note_load();
    }
    // In the table alone.
    [[nodiscard]] const stream_head* find(stream_id stream) const noexcept {
        if (const stream_head* head = current_.find(stream))
            return head;
        return old_ == nullptr ? nullptr : old_->find(stream);
    }
    // A background thread.

    // Offers a table when one is wanted and frees one that was drained.
    [[nodiscard]] result<void> serve();
    // Whether serve() would offer a table.
    [[nodiscard]] bool wants_larger() const noexcept {
        return wanted_.load(std::memory_order_relaxed) != 0;
    }
    [[nodiscard]] std::uint64_t streams() const noexcept {
        return streams_.load(std::memory_order_relaxed);
    }

  private:
    [[nodiscard]] stream_head* inserted(stream_id stream, stream_head* head) noexcept;
    [[nodiscard]] stream_head* find_while_moving(stream_id stream) noexcept;
    void move_some() noexcept;
    // How many entries of a segment were touched there first; one that was touched in several
    // segments counts in each.
    struct touched_entries {
        std::uint64_t ordinal = 0;
        std::uint64_t entries = 0;
    };
    void begin_segment(std::uint64_t ordinal) noexcept;
    // At least as many entries as the runs do not hold, which a move takes along.
    [[nodiscard]] std::uint64_t most_kept() const noexcept;
    // Slots of the table that should take the place of this one. While entries are moved, a
    // sixteenth as many may be added, so half leaves room for all.
    [[nodiscard]] std::uint64_t slots_wanted() const noexcept {
        return most_kept() <= current_.slots() / 2 ? current_.slots() : current_.slots() * 2;
    }
    void note_load() noexcept {
        streams_.store(known_, std::memory_order_relaxed);
        wanted_.store(current_.wants_to_grow() ? slots_wanted() : 0, std::memory_order_relaxed);
    }

    head_slots current_;
    std::unique_ptr<head_slots> old_;
    const heads_beneath* beneath_;
    std::uint64_t known_ = 0;        // streams, wherever they are
    std::uint64_t left_behind_ = 0;  // entries without an event, which forget() could not remove
    std::uint64_t moved_ = 0;        // slots of old_ that have been moved
    std::array<touched_entries, 16> touched_{};  // the last one is the newest segment's
    std::size_t segments_ = 1;                   // in that
    std::atomic<std::uint64_t> streams_{0};
    std::atomic<std::uint64_t> wanted_{0};  // slots of the table that is wanted; 0: none
    std::atomic<std::uint64_t> taken_{0};   // offers that were taken
    std::uint64_t made_ = 0;                // offers; the background's own,
    std::uint64_t offered_slots_ = 0;       // as this, of the last one
    std::atomic<head_slots*> offered_{nullptr};
    std::atomic<head_slots*> drained_{nullptr};
};

}  // namespace pawl::detail
