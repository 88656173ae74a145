#include "writer/writer_state.hpp"

#include "append/appender_frames.hpp"
#include "os/assertion.hpp"
#include "os/file.hpp"
#include "store/directory.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace pawl::detail {

using std::chrono::microseconds;

namespace {

// Small segments fill up faster than the next can be created, so several are kept ready, with this
// many bytes in all.
constexpr std::uint64_t bytes_ahead = std::uint64_t{16} << 20;
constexpr std::uint64_t most_segments_ahead = 8;

[[nodiscard]] std::uint64_t segments_ahead(std::uint64_t segment_bytes) noexcept {
    return std::clamp<std::uint64_t>(bytes_ahead / segment_bytes, 1, most_segments_ahead);
}

[[nodiscard]] error observer_is_inside() noexcept {
    return {.code = errc::busy,
            .reason = "an observer must not close or poll its writer; do so after it has returned"};
}

}  // namespace

writer_state::writer_state(writer_parts parts, fork_word word) noexcept
    : parts_{std::move(parts)}, fork_word_{std::move(word)} {}

result<std::unique_ptr<writer_state>> writer_state::create(writer_parts parts) {
    auto word = fork_word::create();
    if (!word)
        return std::unexpected(std::move(word.error()));
    std::unique_ptr<writer_state> state{new writer_state{std::move(parts), std::move(*word)}};
    if (auto assembled = state->assemble(); !assembled) {
        return std::unexpected(std::move(assembled.error()));
    }
    return state;
}

// The epoch of a new segment is a random number that nobody outside has seen.
result<command_window> writer_state::remembered_commands() {
    auto window = command_window::make(parts_.options.command_window, parts_.active->header.epoch);
    if (!window)
        return window;
    for (const auto& [command, ordinal] : parts_.commands) {
        command_reference reference{.hash = command.hash};
        std::memcpy(reference.id.data(), command.id, reference.id.size());
        window->restore(reference, command.first_sequence,
                        pack_position(ordinal, command.first_offset()), command.events);
    }
    parts_.commands = {};
    return window;
}

result<void> writer_state::assemble() {
    const sequence_number next = parts_.report.next_sequence;
    PAWL_ASSERT(parts_.active && parts_.control && parts_.lock);
    first_ordinal_ = parts_.active->header.ordinal;
    stream_heads& later = parts_.heads.later;
    PAWL_ASSERT(!later.covers_something || later.ordinal < first_ordinal_);
    PAWL_ASSERT(later.end_sequence <= next);
    named_streams_ = parts_.heads.names();
    auto& word = fork_word_.word();
    word.store(gate_value(gate::open), std::memory_order_release);

    parts_.control->set_owner();
    parts_.control->set_state(control_state::open, 0);
    const auto journal = parts_.lock->identity();
    if (!journal)
        return std::unexpected(journal.error());
    supply_ = std::make_unique<segment_supply>(
        segment_request{.directory = parts_.directory,
                        .id = parts_.id,
                        .ordinal = parts_.active->header.ordinal + 1,
                        .segment_bytes = parts_.segment_bytes},
        segments_ahead(parts_.segment_bytes));
    durability_ = std::make_unique<durability>(
        std::move(*parts_.control), &word, next, place_check{parts_.directory, *journal},
        [this](std::unique_ptr<live_segment> segment) { segment_left(std::move(segment)); });
    const sealer_setup sealing{
        .directory = parts_.directory,
        .id = parts_.id,
        .expected_streams = parts_.options.expected_streams,
        .first_ordinal = parts_.active->header.ordinal,
        .unwritten = later.unwritten,
        .runs = parts_.heads.runs,
        .publish = [this](head_runs runs) { appender_->beneath().offer(std::move(runs)); }};
    auto commands = remembered_commands();
    if (!commands)
        return std::unexpected(std::move(commands.error()));
    // The writer's table begins with room for a while: tags wait for a larger one, as streams do.
    constexpr std::uint64_t fewest_tag_slots = 1024;
    if (later.tags.slots() < fewest_tag_slots) {
        auto tags = later.tags.copy_with(fewest_tag_slots);
        if (!tags)
            return std::unexpected(std::move(tags.error()));
        later.tags = std::move(*tags);
    }
    auto first = std::make_unique<live_segment>(std::move(*parts_.active));
    constexpr std::uint64_t enough_to_begin = std::uint64_t{256} << 10;
    first->bytes.populate(0, std::min(parts_.options.populate_bytes, enough_to_begin));
    clock_.emplace(parts_.options.clock, parts_.options.clock_report_interval_s);
    appender_ =
        std::make_unique<appender>(appender_setup{.directory = parts_.directory,
                                                  .id = parts_.id,
                                                  .gate_word = &word,
                                                  .durable = &durability_->watermark(),
                                                  .supply = supply_.get(),
                                                  .first = first.get(),
                                                  .sequence = next,
                                                  .clock = parts_.options.clock,
                                                  .full = parts_.options.full,
                                                  .copying = parts_.options.origin != journal_id{},
                                                  .named_streams = named_streams_,
                                                  .reports_clock = clock_->reports(),
                                                  .commands = std::move(*commands),
                                                  .runs = std::move(parts_.heads.runs),
                                                  .streams = later.streams_so_far},
                                   std::move(later.slots), std::move(later.tags));
    // The first append writes this report first, so a writer that appends nothing writes none.
    if (clock_->reports())
        appender_->offer_clock_report(clock_->measure());
    names_ = std::move(later.names);
    populator_ = std::make_unique<populator>(&appender_->shared(), supply_.get(), first.get(),
                                             parts_.options.populate_bytes);
    sealer_ = std::make_unique<sealer>(sealing);
    scrubber_ = std::make_unique<scrubber>(parts_.directory, parts_.id, parts_.to_scrub);
    for (const std::uint64_t ordinal : parts_.to_seal)
        sealer_->enqueue(ordinal);
    durability_->attach(&appender_->shared(), std::move(first));
    watcher_ = std::make_unique<watcher>(watched_parts{.options = &parts_.options,
                                                       .append = appender_.get(),
                                                       .durable = durability_.get(),
                                                       .supply = supply_.get(),
                                                       .pages = populator_.get(),
                                                       .counters = &counters_,
                                                       .seal = sealer_.get(),
                                                       .flusher = &flusher_,
                                                       .housekeeper = &housekeeper_,
                                                       .sealing = &sealing_},
                                         next);
    if (!parts_.options.background_threads)
        return {};
    return start_threads();
}

writer_state::~writer_state() {
    stop_threads();
}

void writer_state::segment_left(std::unique_ptr<live_segment> segment) {
    PAWL_ASSERT(segment != nullptr && segment->next.load(std::memory_order_acquire) != nullptr);
    populator_->forget(segment.get());
    sealer_->enqueue(segment->header.ordinal);
}

result<stream_id> writer_state::stream(std::string_view name, std::uint64_t timestamp_ns) {
    constexpr std::size_t longest_name = 1024;
    if (name.empty() || name.size() > longest_name) {
        return std::unexpected(error{.code = errc::invalid_argument,
                                     .size = name.size(),
                                     .limit = longest_name,
                                     .reason = "a stream's name must have 1 to 1024 bytes"});
    }
    if (const auto known = names_.find(name); known != names_.end())
        return known->second;
    const auto before = appender_->beneath().find_name(name);
    if (!before)
        return std::unexpected(before.error());
    if (*before)
        return **before;
    // Allocate the entry before the log records the name: a name that is in the log but not in
    // memory would be assigned to a second stream.
    const auto entry = names_.emplace(std::string{name}, no_stream_id).first;
    auto given = appender_->append_name(name, timestamp_ns);
    if (given) {
        entry->second = *given;
        PAWL_ASSERT(*given == first_named_stream + named_streams_);
        ++named_streams_;
    } else {
        names_.erase(entry);
    }
    return given;
}

result<bool> writer_state::describe(const type_description& what, std::uint64_t timestamp_ns) {
    const bool copying = parts_.options.origin != journal_id{};
    if (what.type >= first_reserved_type && !copying)
        return std::unexpected(type_is_reserved(what.type));
    auto payload = pack_description(what);
    if (!payload)
        return std::unexpected(std::move(payload.error()));
    if (auto loaded = described_.load(parts_.directory, parts_.id, first_ordinal_); !loaded)
        return std::unexpected(std::move(loaded.error()));
    // As with names, allocate the entry before the log records the description.
    std::uint64_t& known = described_.hash_of(what);
    const std::uint64_t hash = described_types::hash(*payload);
    if (known == hash)
        return false;
    if (auto recorded = appender_->append_description(*payload, timestamp_ns); !recorded)
        return std::unexpected(std::move(recorded.error()));
    known = hash;
    return true;
}

result<void> writer_state::poll() {
    // Upkeep creates files, and in a forked child this process no longer holds the lock.
    if (gate_now() == gate::forked)
        return std::unexpected(error{.code = errc::forked});
    if (closed_)
        return std::unexpected(error{.code = errc::closed});
    if (inside_observer())
        return std::unexpected(observer_is_inside());
    adjust_clock();
    clock_->offer_if_due(*appender_);
    while (populator_->step()) {
    }
    while (housekeep_step() == microseconds{0}) {
    }
    while (seal_step() == microseconds{0}) {
    }
    watcher_->note_settled();
    look_around();
    (void)flush_step();
    watcher_->report_status();
    if (parts_.options.scrub_bytes_per_second != 0)
        (void)scrub_step();
    if (auto failed = durability_->failure())
        return std::unexpected(std::move(*failed));
    return {};
}

result<void> writer_state::close() {
    auto& word = fork_word_.word();
    if (gate_now() == gate::forked)
        return std::unexpected(refusal(gate_value(gate::forked)));
    if (closed_)
        return std::unexpected(refusal(gate_value(gate::closed)));
    // The thread would wait for itself to end, or continue a step of a writer that is closed.
    if (inside_observer())
        return std::unexpected(observer_is_inside());
    appender_->abandon_batch();
    closed_ = true;
    const bool was_open = end_gate(word, gate_value(gate::closed));
    PAWL_ASSERT(!gate_is_open());
    stop_threads();
    if (was_open)
        appender_->append_last_clock_report(clock_->measure());
    const auto ended = end_log();
    auto finished = ended ? finish_files() : ended;
    durability_->set_state(ended ? control_state::closed : control_state::poisoned,
                           ended ? 0 : ended.error().os_error);
    word.store(gate_value(gate::closed), std::memory_order_release);
    parts_.lock.reset();
    return finished;
}

// Closes the log, in this order:
//
// 1. Sync every event. A crash after this leaves a journal whose writer died, with all of it
//    durable.
// 2. Store the end frame and sync it. It says that the log is complete, so it may reach the disk
//    only after everything before it. A crash before it is on disk leaves a hole there, where
//    recovery cuts without losing an event; afterwards the log ends cleanly, whatever happens to
//    the rest.
// 3. finish_files().
result<void> writer_state::end_log() {
    PAWL_ASSERT(closed_ && gate_now() != gate::open);
    (void)appender_->zero_scribbles();
    if (auto done = durability_->sync_to_end(); !done)
        return done;
    PAWL_ASSERT(durability_->durable() == appender_->sequence());
    appender_->append_closed();
    return durability_->sync_to_end();
}

// The log has ended and is durable. The remaining steps release space or write what is derived from
// the log. A shortage leaves a step to the next open and does not fail the close:
//
// 1. Unlink the segments that were prepared and not used. A crash leaves some of them; after a
//    clean end, the next open recognizes and removes them.
// 2. Release the unused blocks of the last segment. They hold zeros with or without this step.
// 3. Sync the last segment as a whole. Its events are durable already, but if a reservation or a
//    batch was abandoned after its end, the zeros there are not. A crash before this leaves the old
//    bytes after a clean end, and the next open zeroes them again.
// 4. Write what is derived from the log: index, stream heads, watermark. A crash leaves only some
//    of them, and the next open builds the rest. An index promises that nothing follows the
//    segment's end, so without the sync of step 3 the segment stays unsealed.
result<void> writer_state::finish_files() {
    PAWL_ASSERT(durability_->durable() == appender_->sequence());
    result<void> first;
    const auto note = [&first](result<void> done) {
        if (!done && first && !is_shortage(done.error()))
            first = std::move(done);
    };
    note(supply_->discard());
    note(release_rest());
    auto synced = appender_->newest().source.sync();
    const bool may_seal = synced.has_value();
    note(std::move(synced));
    if (may_seal)
        note(seal_all());
    note(durability_->store_watermark());
    durability_->report_status(true);
    watcher_->report_statistics();
    note(parts_.directory.sync());
    return first;
}

result<void> writer_state::release_rest() {
    const live_segment& last = appender_->newest();
    const std::uint64_t end =
        last.end_of_frames(appender_->shared().position.load(std::memory_order_acquire));
    PAWL_ASSERT(end >= first_frame_offset + end_frame_bytes);
    return release_zero_space(last.source, end, last.header.segment_bytes);
}

result<void> writer_state::seal_all() {
    const std::scoped_lock guard{sealed_files_};
    sealer_->enqueue(appender_->newest().header.ordinal);
    for (;;) {
        auto more = sealer_->step();
        if (!more)
            return std::unexpected(std::move(more.error()));
        if (!*more)
            break;
    }
    return sealer_->write_heads_if_due(true);
}

}  // namespace pawl::detail
