#include "upkeep/pruner.hpp"

#include "audit/description_search.hpp"
#include "format/name_frame.hpp"
#include "os/assertion.hpp"
#include "os/file.hpp"
#include "recovery/log_survey.hpp"
#include "store/command_index.hpp"
#include "store/consumer_file.hpp"
#include "store/consumers_lock.hpp"
#include "store/directory.hpp"
#include "store/heads_rebuild.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pawl::detail {

result<void> check_prune_options(const prune_options& options) {
    if (options.before || options.before_ns || options.keep_bytes)
        return {};
    return fail(errc::invalid_argument,
                "prune_options sets no limit: set before, before_ns or keep_bytes");
}

// A prune changes the directory in this order:
//
// 1. Write `retained`, then `retained.copy`, each under a temporary name, synced, renamed, and the
//    directory synced. A crash before the first rename leaves the journal as it was. A crash after
//    it leaves a log that begins later than its segments do: readers pass over those that lie
//    below, and the next prune removes them. One of the two copies is whole at any moment.
// 2. Unlink the segments below the new beginning, and their indexes. They are no longer part of the
//    log, so a crash may leave any of them, in any order. In the other order, a crash would leave a
//    log whose first segments are missing, and names and versions that nothing holds any more.
//
// The runs of stream heads may still stand for a segment that went. It is ignored then: the heads
// in `retained` and the indexes of the segments that are left say the same.
result<prune_report> pruner::run() {
    if (auto fine = check_prune_options(options_); !fine)
        return std::unexpected(std::move(fine.error()));
    if (auto listed = list_sealed(); !listed)
        return std::unexpected(std::move(listed.error()));
    // Until the new beginning is written, no consumer begins, goes back or is removed.
    held_flock alone;
    if (!options_.dry_run) {
        auto taken = lock_consumers_for_prune(directory_);
        if (!taken)
            return std::unexpected(std::move(taken.error()));
        alone = std::move(*taken);
    }
    if (auto held = collect_holds(); !held)
        return std::unexpected(std::move(held.error()));
    const std::size_t going = decide();
    PAWL_ASSERT(going == 0 || going < sealed_.size());
    if (auto gathered = gather(going); !gathered)
        return std::unexpected(std::move(gathered.error()));
    PAWL_ASSERT(report_.segments == going);
    report_.dry_run = options_.dry_run;
    report_.first_sequence = kept_.begin.sequence();
    if (options_.dry_run)
        return std::move(report_);
    if (going != 0)
        kept_.pruned_ns = system_time_ns();
    // Segments that an earlier prune left may mean that it wrote only the first of the two copies.
    if (going != 0 || !below_.empty()) {
        PAWL_ASSERT(alone);
        if (auto written = write_beginning(); !written)
            return std::unexpected(std::move(written.error()));
    }
    alone.release();
    if (auto removed = remove_segments(); !removed)
        return std::unexpected(std::move(removed.error()));
    return std::move(report_);
}

result<void> pruner::list_sealed() {
    auto kept = read_retained(directory_, id_);
    if (!kept)
        return std::unexpected(std::move(kept.error()));
    if (*kept)
        kept_ = std::move(**kept);
    auto ordinals = list_segments(directory_);
    if (!ordinals)
        return std::unexpected(std::move(ordinals.error()));
    for (const std::uint64_t ordinal : *ordinals) {
        if (ordinal < kept_.begin.ordinal) {
            below_.push_back(ordinal);
            continue;
        }
        auto header = check_segment_header(directory_, id_, ordinal);
        if (!header)
            return std::unexpected(std::move(header.error()));
        auto index = read_index_header(directory_, id_, ordinal);
        if (!index && index.error().code == errc::newer_format)
            return std::unexpected(std::move(index.error()));
        if (ordinal != kept_.begin.ordinal + sealed_.size() || !index ||
            index->epoch != header->epoch)
            break;
        sealed_.push_back({index->end_offset, *index});
    }
    return {};
}

// A consumer that is created later begins where the log does, or later: creating one waits for the
// lock of the prune, and then looks where the log begins.
result<void> pruner::collect_holds() {
    auto journal = read_identity(directory_);
    if (!journal)
        return std::unexpected(std::move(journal.error()));
    auto consumers = consumer_holds(directory_, identity_of(*journal).origin);
    if (!consumers)
        return std::unexpected(std::move(consumers.error()));
    holds_.assign(options_.holds.begin(), options_.holds.end());
    std::ranges::move(*consumers, std::back_inserter(holds_));
    return {};
}

bool pruner::may_go(const index_header& index, std::uint64_t bytes_left) const {
    if (options_.before && index.end_sequence > *options_.before)
        return false;
    if (options_.before_ns && index.max_timestamp_ns >= *options_.before_ns)
        return false;
    return !options_.keep_bytes || bytes_left >= *options_.keep_bytes;
}

// How many segments go: those at the beginning that the limits and all holds let go, but not the
// last sealed one, without which recovery would not know where the log goes on.
std::size_t pruner::decide() {
    std::uint64_t bytes_left = 0;
    for (const candidate& each : sealed_)
        bytes_left += each.bytes;
    for (std::size_t i = 0; i + 1 < sealed_.size(); ++i) {
        const candidate& segment = sealed_[i];
        bytes_left -= segment.bytes;
        if (!may_go(segment.index, bytes_left))
            return i;
        for (const prune_hold& hold : holds_) {
            if (hold.sequence < segment.index.end_sequence)
                report_.held_by.push_back(hold);
        }
        if (!report_.held_by.empty())
            return i;
    }
    return sealed_.empty() ? 0 : sealed_.size() - 1;
}

// Reads the segments that go, and takes along what must outlive them. Whatever cannot be read, or
// is not what it must be, ends the prune before anything was changed.
result<void> pruner::gather(std::size_t going) {
    if (going == 0)
        return {};
    PAWL_ASSERT(going < sealed_.size());
    std::vector<std::uint64_t> ordinals;
    for (std::size_t i = 0; i < going; ++i) {
        const std::uint64_t ordinal = sealed_[i].index.ordinal;
        if (auto read = read_segment_at(sealed_[i]); !read)
            return read;
        if (auto said = find_descriptions(directory_, id_, ordinal, kept_.descriptions); !said)
            return said;
        ordinals.push_back(ordinal);
    }
    if (auto gathered = gather_heads(ordinals); !gathered)
        return gathered;
    return gather_commands(ordinals);
}

// The newest count, but never fewer than an earlier prune kept: its writer may have a larger
// window.
result<void> pruner::gather_commands(std::span<const std::uint64_t> ordinals) {
    auto& commands = kept_.commands;
    const std::size_t most = std::max<std::size_t>(options_.command_window, commands.size());
    const auto more = load_commands(directory_, id_, ordinals, most, {});
    if (!more)
        return std::unexpected(more.error());
    for (const logged_command& each : *more)
        commands.push_back(retained_of(each.command));
    if (commands.size() > most)
        commands.erase(commands.begin(), commands.end() - static_cast<std::ptrdiff_t>(most));
    return {};
}

result<void> pruner::gather_heads(std::span<const std::uint64_t> ordinals) {
    const auto loaded = load_heads(directory_, id_, 0, ordinals);
    if (!loaded)
        return std::unexpected(loaded.error());
    auto heads = detail::gather_heads(loaded->runs, &loaded->later);
    if (!heads)
        return std::unexpected(std::move(heads.error()));
    PAWL_ASSERT(heads->ordinal == ordinals.back());
    const auto listed = [](const head_slots& table) {
        std::vector<stream_head> list;
        std::ranges::copy_if(table.all(), std::back_inserter(list),
                             [](const stream_head& head) { return head.stream != no_stream_id; });
        std::ranges::sort(list, {}, &stream_head::stream);
        return list;
    };
    kept_.streams = listed(heads->slots);
    kept_.tags = listed(heads->tags);
    kept_.names = std::move(heads->names);
    return {};
}

// Every frame is checked and must follow the one before.
result<void> pruner::read_segment_at(const candidate& segment) {
    const std::uint64_t ordinal = segment.index.ordinal;
    auto opened = open_segment(directory_, id_, ordinal);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    log_begin& begin = kept_.begin;
    PAWL_ASSERT(ordinal == begin.ordinal);
    const auto wrong = [&](errc code, std::uint64_t offset, std::string detail) {
        return std::unexpected(error{.code = code,
                                     .offset = offset,
                                     .sequence = begin.sequence(),
                                     .file = opened->bytes.path().string(),
                                     .detail = std::move(detail)});
    };
    if (auto misfitting = misfit(opened->header, begin.before); !misfitting.empty())
        return wrong(errc::damaged, 0, std::move(misfitting));
    const frame_space space = opened->space();
    const walk_end end =
        walk_segment(space, {.sequence = begin.sequence()},
                     [&](std::uint64_t offset, commit_word word) { take(space, offset, word); });
    if (auto whole = opened->bytes.whole(); !whole)
        return whole;
    if (!end.ended())
        return wrong(code_of(end.fault), end.offset, std::string{to_string(end.fault)});
    if (end.end_hash != segment.index.end_hash || end.offset != segment.index.end_offset)
        return wrong(errc::damaged, end.offset, "the segment does not end as its index says");
    begin.ordinal = ordinal + 1;
    begin.before = end_of(opened->header, end);
    PAWL_ASSERT(begin.before.sequence == begin.sequence());
    kept_.must_know |= bit_of(end.end_type);
    kept_.events += end.events;
    kept_.bytes += space.bytes;
    report_.events += end.events;
    report_.bytes += segment.bytes;
    ++report_.segments;
    return {};
}

void pruner::take(const frame_space& space, std::uint64_t offset, commit_word word) {
    const std::byte* frame = space.base + offset;
    const std::uint64_t content = content_hash_of(frame, space.epoch, offset);
    log_begin& begin = kept_.begin;
    if (!word.is_system()) {
        begin.digest += digest_term(content) + std::exchange(begin.names_digest, 0);
        begin.point = {load_u64(frame + frame_offset::sequence) + 1, content,
                       load_u64(frame + frame_offset::hash)};
        return;
    }
    if (word.type() < first_skipped_type)
        kept_.must_know |= bit_of(static_cast<system_type>(word.type()));
    if (classify_system(word) == system_class::stream_name)
        begin.names_digest += digest_term(content);
}

result<void> pruner::write_beginning() {
    PAWL_ASSERT(!options_.dry_run && kept_.begin.is_pruned());
    return write_retained(directory_, id_, kept_);
}

// Also removes what an earlier prune did not come to.
result<void> pruner::remove_segments() {
    PAWL_ASSERT(!options_.dry_run);
    PAWL_ASSERT(sealed_.empty() || sealed_.back().index.ordinal >= kept_.begin.ordinal);
    std::vector<std::uint64_t> going = below_;
    for (const candidate& each : sealed_) {
        if (each.index.ordinal < kept_.begin.ordinal)
            going.push_back(each.index.ordinal);
    }
    for (const std::uint64_t ordinal : going) {
        PAWL_ASSERT(ordinal < kept_.begin.ordinal);
        auto gone = directory_.unlink(index_name(ordinal));
        if (!gone && gone.error().code != errc::not_found)
            return gone;
        if (auto removed = directory_.unlink(segment_name(ordinal)); !removed)
            return removed;
    }
    return going.empty() ? result<void>{} : directory_.sync();
}

}  // namespace pawl::detail
