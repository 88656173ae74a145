#include "upkeep/sealer.hpp"

#include "os/assertion.hpp"
#include "store/directory.hpp"
#include "store/heads_rebuild.hpp"
#include "store/index_links.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <utility>

namespace pawl::detail {

void sealer::enqueue(std::uint64_t ordinal) {
    const std::scoped_lock guard{mutex_};
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
    // Between a segment whose index had to be written again and the next one to be sealed there may
    // be some that were sealed long ago.
    if (heads_ && heads_->covers_something && ordinal <= heads_->ordinal + 1)
        return {};
    auto ordinals = list_segments(setup_.directory);
    if (!ordinals)
        return std::unexpected(std::move(ordinals.error()));
    std::erase_if(*ordinals, [&](std::uint64_t other) { return other >= ordinal; });
    auto heads = load_heads(setup_.directory, setup_.id, setup_.expected_streams, *ordinals);
    if (!heads)
        return std::unexpected(std::move(heads.error()));
    heads_ = std::move(*heads);
    return {};
}

// Null where the heads stand for another place.
const stream_heads* sealer::heads_at_end_before(std::uint64_t ordinal) const noexcept {
    const bool there =
        heads_ && (heads_->covers_something ? heads_->ordinal + 1 == ordinal : ordinal == 0);
    return there ? &*heads_ : nullptr;
}

// Seals one segment, which is complete and synced. In this order:
//
// 1. Link its index to the segments before and write it, under a temporary name that is synced and
// renamed. A crash before the rename
//    leaves a segment without an index, which the next open seals again. Once the index is there,
//    recovery no longer reads the segment: it may exist only after everything in the segment is on
//    disk, so segments come here from the flusher and never from the appending thread.
// 2. Merge it into the stream heads in memory. A crash loses them; the file of heads then stands
//    for an earlier segment, and opening merges the indexes after it.
// 3. Take it off the queue. If a step before fails, it stays, and the next call tries again.
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
    if (auto loaded = load_heads_before(*ordinal); !loaded) {
        return std::unexpected(std::move(loaded.error()));
    }
    if (auto linked =
            link_index(*index, setup_.directory, setup_.id, heads_at_end_before(*ordinal));
        !linked) {
        return std::unexpected(std::move(linked.error()));
    }
    if (auto written = write_index(setup_.directory, *index, setup_.mode); !written) {
        return std::unexpected(std::move(written.error()));
    }
    // A segment whose index was missing may lie before what the heads already stand for.
    if (!heads_->covers_something || *ordinal > heads_->ordinal) {
        if (auto taken = take_in(*heads_, *index, space); !taken) {
            return std::unexpected(std::move(taken.error()));
        }
        bytes_since_heads_ += segment->header.segment_bytes;
    }
    const std::scoped_lock guard{mutex_};
    PAWL_ASSERT(!waiting_.empty() && waiting_.front() == *ordinal);
    waiting_.pop_front();
    return true;
}

result<void> sealer::write_heads_if_due(bool now) {
    constexpr std::uint64_t outweigh = 8;
    if (!heads_ || !heads_->covers_something || bytes_since_heads_ == 0)
        return {};
    if (!now && bytes_since_heads_ / outweigh < heads_file_bytes(*heads_))
        return {};
    if (auto written = write_heads(setup_.directory, setup_.id, *heads_, setup_.mode); !written) {
        return written;
    }
    bytes_since_heads_ = 0;
    return {};
}

}  // namespace pawl::detail
