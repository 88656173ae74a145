#include "store/consumer_lease.hpp"

#include "os/assertion.hpp"
#include "os/deadline.hpp"
#include "os/this_process.hpp"
#include "store/consumers_lock.hpp"
#include "store/directory.hpp"
#include "store/log_begin.hpp"

#include <unistd.h>

#include <cstring>
#include <span>
#include <utility>

namespace pawl::detail {

using std::chrono::steady_clock;

consumer_lease::consumer_lease(directory_handle journal, directory_handle consumers,
                               std::string name, consumer_options options,
                               const journal_identity& identity)
    : directory_{std::move(journal)},
      consumers_{std::move(consumers)},
      name_{std::move(name)},
      options_{std::move(options)},
      journal_{identity},
      process_{::getpid()} {}

consumer_lease::~consumer_lease() {
    release();
}

// Refuses calls after a failure, after close(), and in a child that a fork made.
result<void> consumer_lease::check_usable() const {
    if (!file_)
        return fail(errc::closed);
    if (failure_)
        return std::unexpected(error{.code = errc::poisoned,
                                     .cause = failure_->code,
                                     .os_error = failure_->os_error,
                                     .file = failure_->file,
                                     .detail = failure_->detail});
    if (process_ != ::getpid())
        return fail(errc::forked);
    return {};
}

result<void> consumer_lease::check_named() const {
    PAWL_ASSERT(file_);
    const auto own = file_.identity();
    const auto named = consumers_.identity_of(name_);
    if (own && named && *own == *named)
        return {};
    return std::unexpected(
        error{.code = errc::not_found,
              .file = file_.path().string(),
              .detail = "the consumer's file was removed or replaced while it was in use"});
}

// pruned if the log begins after that position.
result<void> consumer_lease::check_kept(const consumer_position& position) const {
    auto log = read_log_begin(directory_, journal_.id);
    if (!log)
        return std::unexpected(std::move(log.error()));
    if (position.point.next >= log->sequence())
        return {};
    return std::unexpected(before_the_beginning(*log, directory_, position.point.next));
}

void consumer_lease::set_position(consumer_block& block,
                                  const consumer_position& position) const noexcept {
    std::memcpy(block.journal, journal_.id.data(), sizeof block.journal);
    block.next_sequence = position.point.next;
    block.content_hash = position.point.content_hash;
    block.frame_hash = position.point.frame_hash;
    block.event_ns = position.event_ns;
    block.committed_ns = system_time_ns();
}

result<void> consumer_lease::store(consumer_block next, durability how) {
    PAWL_ASSERT(file_ && !failure_);
    PAWL_ASSERT(synced_slot_ < 2 && next.generation == block_.generation);
    const bool settle = how == durability::synced;
    const std::size_t slot = 1 - synced_slot_;
    ++next.generation;
    next.state = settle ? consumer_settled : 0;
    seal(next);
    // If it fails, the block may be torn; the next commit overwrites it.
    if (auto written =
            file_.write_at(std::as_bytes(std::span{&next, 1}), slot * consumer_block_bytes);
        !written)
        return written;
    block_ = next;
    position_ = position_of(next);
    unsynced_ = !settle;
    if (!settle)
        return {};
    if (auto synced = file_.sync(); !synced) {
        failure_ = copy_of(synced.error());
        return synced;
    }
    synced_slot_ = slot;
    synced_at_ = steady_clock::now();
    return {};
}

from_point consumer_lease::resume_from() const noexcept {
    journal_id taken_in{};
    std::memcpy(taken_in.data(), block_.journal, taken_in.size());
    return {.point = position_.point, .taken_in = taken_in};
}

result<void> consumer_lease::commit(const consumer_position& position) {
    if (auto usable = check_usable(); !usable)
        return usable;
    // A prune must not have read the later position and move the beginning only now.
    held_flock alone;
    if (position.point.next < position_.point.next) {
        auto taken = lock_consumers(consumers_);
        if (!taken)
            return std::unexpected(std::move(taken.error()));
        alone = std::move(*taken);
        if (auto kept = check_kept(position); !kept)
            return kept;
    }
    PAWL_ASSERT(alone || position.point.next >= position_.point.next);
    if (auto named = check_named(); !named)
        return named;
    consumer_block next = block_;
    set_position(next, position);
    const bool due = steady_clock::now() - synced_at_ >= options_.sync_interval;
    return store(next, due ? durability::synced : durability::written);
}

result<void> consumer_lease::sync() {
    if (auto usable = check_usable(); !usable)
        return usable;
    if (!unsynced_)
        return {};
    return store(block_, durability::synced);
}

steady_clock::time_point consumer_lease::sync_due() const noexcept {
    return unsynced_ ? deadline_after(synced_at_, options_.sync_interval)
                     : steady_clock::time_point::max();
}

result<void> consumer_lease::close() {
    auto synced = sync();
    release();
    return synced;
}

void consumer_lease::release() noexcept {
    if (!file_)
        return;
    if (process_ == ::getpid())
        end_lease(file_);
    file_.close();
}

}  // namespace pawl::detail
