#include "upkeep/sealer.hpp"

#include "os/assertion.hpp"
#include "store/directory.hpp"
#include "store/head_merge.hpp"
#include "store/heads_rebuild.hpp"
#include "store/index_links.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <algorithm>
#include <utility>

namespace pawl::detail {

void sealer::enqueue(std::uint64_t ordinal) {
    const std::scoped_lock guard{mutex_};
    PAWL_ASSERT(waiting_.empty() || waiting_.back() < ordinal);
    waiting_.push_back(ordinal);
    ++enqueued_;
}

std::uint64_t sealer::enqueued() {
    const std::scoped_lock guard{mutex_};
    return enqueued_;
}

std::optional<std::uint64_t> sealer::front() {
    const std::scoped_lock guard{mutex_};
    if (waiting_.empty())
        return std::nullopt;
    return waiting_.front();
}

result<void> sealer::load_heads_before(std::uint64_t ordinal) {
    // If an index had to be written again, segments that were sealed long ago may lie between its
    // segment and the next one to be sealed.
    if (heads_ && heads_->later.covers_something && ordinal <= heads_->later.ordinal + 1)
        return {};
    auto ordinals = list_segments(setup_.directory);
    if (!ordinals)
        return std::unexpected(std::move(ordinals.error()));
    std::erase_if(*ordinals, [&](std::uint64_t other) { return other >= ordinal; });
    auto heads = load_heads(setup_.directory, setup_.id, setup_.expected_streams, *ordinals);
    if (!heads)
        return std::unexpected(std::move(heads.error()));
    heads_ = std::move(*heads);
    PAWL_ASSERT(!heads_->later.covers_something || heads_->later.ordinal < ordinal);
    return {};
}

result<void> sealer::link(segment_index& index) {
    // This many probes of earlier indexes cost less than loading the heads of a large journal.
    constexpr std::uint64_t few_looks = 4096;
    const std::uint64_t ordinal = index.header.ordinal;
    const auto continued = static_cast<std::uint64_t>(
        std::ranges::count(index.streams, not_linked, &index_stream::segments_back));
    if (heads_ || continued > few_looks / (ordinal + 1)) {
        if (auto loaded = load_heads_before(ordinal); !loaded)
            return loaded;
    }
    return link_index(index, setup_.directory, setup_.id, heads_at_end_before(ordinal));
}

// Null unless the heads are those at the end of the previous segment.
const log_heads* sealer::heads_at_end_before(std::uint64_t ordinal) const noexcept {
    if (!heads_)
        return nullptr;
    const stream_heads& later = heads_->later;
    const bool there = later.covers_something ? later.ordinal + 1 == ordinal : ordinal == 0;
    return there ? &*heads_ : nullptr;
}

// Seals one segment, which is complete and synced. In this order:
//
// 1. Link its index to earlier segments and write it to a temporary file, which is synced and
//    renamed. A crash before the rename leaves a segment without an index, which the next open
//    seals again. Once the index is there, recovery no longer reads the segment: it may exist only
//    after everything in the segment is on disk, so segments come here from the flusher and never
//    from the appending thread.
// 2. Merge it into the stream heads, if they are in memory. A crash loses what no run holds; the
//    last run is then as of an earlier segment, and the next open merges the indexes after it.
// 3. Take it off the queue. If an earlier step fails, it stays there, and the next call tries
//    again.
result<bool> sealer::step() {
    const auto ordinal = front();
    if (!ordinal)
        return false;
    auto segment = open_segment(setup_.directory, setup_.id, *ordinal);
    if (!segment)
        return std::unexpected(std::move(segment.error()));
    const frame_space space = segment->space();
    const data_ranges data = segment->data();
    auto index =
        build_index({.space = space, .id = setup_.id, .ordinal = *ordinal, .behind_end = &data},
                    setup_.directory.path_of(segment_name(*ordinal)));
    if (auto whole = segment->bytes.whole(); !whole)
        return std::unexpected(std::move(whole.error()));
    if (!index)
        return std::unexpected(std::move(index.error()));
    PAWL_ASSERT(index->header.ordinal == *ordinal && index->header.epoch == space.epoch);
    if (auto linked = link(*index); !linked)
        return std::unexpected(std::move(linked.error()));
    if (auto written = write_index(setup_.directory, *index); !written) {
        return std::unexpected(std::move(written.error()));
    }
    // The heads may already include a segment whose index was missing.
    if (heads_ && (!heads_->later.covers_something || *ordinal > heads_->later.ordinal)) {
        if (auto taken = merge_segment(heads_->later, *index, space); !taken) {
            return std::unexpected(std::move(taken.error()));
        }
    }
    PAWL_ASSERT(!heads_ || heads_->later.ordinal >= *ordinal);
    if (*ordinal >= setup_.first_ordinal) {
        unwritten_.add(index->head_entries());
    }
    newest_sealed_ = std::max(newest_sealed_, *ordinal);
    const std::scoped_lock guard{mutex_};
    PAWL_ASSERT(!waiting_.empty() && waiting_.front() == *ordinal);
    waiting_.pop_front();
    return true;
}

result<void> sealer::write_heads_if_due(bool closing) {
    // An open merges so many entries in about a millisecond.
    constexpr std::uint64_t few = 8 << 10;
    constexpr std::uint64_t enough_to_write = 32 << 10;
    const std::uint64_t enough = closing ? std::min(few, runs_.entries() / 16) : enough_to_write;
    const bool bad = runs_.has_bad();
    if (!bad && (unwritten_.segments == 0 || unwritten_.cost() < enough))
        return {};
    // Runs cover every segment up to the one they end with, so first the segments that recovery
    // found must be sealed.
    if (newest_sealed_ + 1 < setup_.first_ordinal)
        return {};
    if (bad) {
        if (auto removed = remove_bad_runs(); !removed)
            return removed;
    }
    if (auto loaded = load_heads_before(newest_sealed_ + 1); !loaded)
        return loaded;
    PAWL_ASSERT(heads_ && heads_->later.covers_something);
    // A close does not merge what a later writer can merge while it appends, unless many have put
    // it off.
    constexpr std::uint64_t quickly_merged = 256 << 10;
    constexpr std::size_t many_runs = 32;
    const std::uint64_t most =
        closing && heads_->runs.size() < many_runs ? quickly_merged : no_value;
    const std::size_t merged = runs_to_merge(heads_->runs, heads_->later.unwritten.entries, most);
    auto written = write_run(setup_.directory, setup_.id, heads_->runs, merged, heads_->later);
    if (!written)
        return std::unexpected(std::move(written.error()));
    PAWL_ASSERT(written->cover(newest_sealed_));
    auto later = heads_after(*written, 0);
    if (!later)
        return std::unexpected(std::move(later.error()));
    heads_ = log_heads{.runs = *written, .later = std::move(*later)};
    runs_ = *written;
    setup_.publish(std::move(*written));
    unwritten_ = {};
    return {};
}

// The appending thread may still look into them. What it does not find there it looks up in the
// log.
result<void> sealer::remove_bad_runs() {
    for (const auto& run : runs_.all()) {
        if (!run->is_bad())
            continue;
        const heads_header& header = run->header();
        const auto gone = setup_.directory.unlink(run_name(header.first_ordinal, header.ordinal));
        if (!gone && gone.error().code != errc::not_found)
            return gone;
    }
    heads_.reset();
    return {};
}

}  // namespace pawl::detail
