#include "format/segment_walk.hpp"
#include "os/assertion.hpp"
#include "os/data_ranges.hpp"
#include "store/control.hpp"
#include "store/directory.hpp"
#include "store/lock_holder.hpp"
#include "store/log_begin.hpp"
#include "store/segment_file.hpp"
#include "store/writer_lock.hpp"
#include "writer/journal_at_rest.hpp"

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/truncate.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <ranges>
#include <span>
#include <utility>

// The order of a truncation. Each step leaves what the next open for writing either refuses,
// because something still proves that more was durable, or recovers as a torn tail at the cut or
// after it; and what a second truncation with the same sequence completes.
//
// 1. Copy what follows the cut in its segment to torn/. A crash leaves a copy of bytes that are
//    still there.
// 2. Move later segments there, the last one first. A crash leaves a shorter log, whose end does
//    not say that it is one: the next open finds a segment missing.
// 3. Move the index of the last segment that stays, and the stream heads. Both are derived. Until
//    the control file goes, too, it proves what was durable.
// 4. Move the control file. From here on only the frames after the cut prove that they were
//    durable; a crash leaves the journal without its control file, which changes nothing about it.
// 5. Zero what follows the cut, and sync it. A crash leaves any of its pages. Those that are left
//    prove that a durable event is missing, and the next open refuses, or the log has a torn tail.
// 6. Recover.
namespace pawl {

namespace detail {

namespace {

class truncation {
  public:
    truncation(directory_handle directory, const truncate_options& options, const identity& journal)
        : directory_{std::move(directory)}, options_{options}, id_{id_of(journal)} {
        report_.plan.id = id_;
        report_.plan.before = options.before;
    }

    // Reads everything; before the lock is taken, because beside a writer it would judge otherwise.
    [[nodiscard]] result<void> look();
    [[nodiscard]] result<void> make_plan();
    [[nodiscard]] result<void> carry_out();
    [[nodiscard]] truncate_report& report() noexcept { return report_; }

  private:
    [[nodiscard]] result<void> check_what_stays(const verify_report& seen) const;
    void note_last(const event& e);
    [[nodiscard]] result<void> list_what_moves();
    [[nodiscard]] result<directory_handle> make_room() const;
    [[nodiscard]] result<writable_segment> open_cut_segment() const;
    [[nodiscard]] result<void> copy_rest(const writable_segment& segment,
                                         const directory_handle& into);
    [[nodiscard]] result<void> move_there(const std::string& name, const directory_handle& into);

    [[nodiscard]] std::string room_name() const {
        return "truncated-" + std::to_string(options_.before);
    }

    directory_handle directory_;
    const truncate_options& options_;
    journal_id id_;
    bool sound_ = false;
    std::optional<log_position> cut_;
    bool splits_batch_ = false;
    truncate_report report_;
};

[[nodiscard]] std::unexpected<error> refused(const char* reason, sequence_number at) {
    return std::unexpected(error{.code = errc::invalid_argument, .sequence = at, .reason = reason});
}

result<void> truncation::check_what_stays(const verify_report& seen) const {
    const sequence_number before = options_.before;
    if (before <= seen.first_sequence)
        return refused("a truncation must leave at least one event", before);
    const bool begins = !seen.runs.empty() && seen.runs.front().first == seen.first_sequence;
    const sequence_number readable = begins ? seen.runs.front().end : seen.first_sequence;
    if (before <= readable)
        return {};
    if (seen.runs.size() <= 1 && seen.sound()) {
        return std::unexpected(
            error{.code = errc::not_found,
                  .sequence = before,
                  .reason = "the log ends before this sequence, so there is nothing to cut"});
    }
    return std::unexpected(error{
        .code = errc::damaged,
        .sequence = readable,
        .reason = "this event cannot be read, so the log can be cut there or before, not after"});
}

// The last event that is to stay.
void truncation::note_last(const event& e) {
    if (e.sequence() + 1 != options_.before || cut_)
        return;
    const std::uint64_t frame =
        frame_header_bytes + e.metadata().bytes().size() + e.payload().size();
    cut_ = {e.position().ordinal, e.position().offset + padded(frame)};
    splits_batch_ = e.more_in_batch();
}

// Everything after the segment of the cut: segments first, the last one first.
result<void> truncation::list_what_moves() {
    const std::uint64_t last = report_.plan.cut.ordinal;
    auto ordinals = list_segments(directory_);
    if (!ordinals)
        return std::unexpected(std::move(ordinals.error()));
    std::vector<std::string> moves;
    for (const std::uint64_t ordinal : std::views::reverse(*ordinals)) {
        if (ordinal > last) {
            moves.push_back(segment_name(ordinal));
            moves.push_back(index_name(ordinal));
        }
    }
    moves.push_back(index_name(last));
    moves.emplace_back(heads_name);
    moves.emplace_back(control_name);
    for (std::string& name : moves) {
        const auto there = directory_.has(name);
        if (!there)
            return std::unexpected(there.error());
        if (*there)
            report_.plan.to_keep.push_back(std::move(name));
    }
    return {};
}

result<void> truncation::look() {
    auto seen = verify(directory_.path(), {.progress = options_.progress,
                                           .visit = [&](const event& e) { note_last(e); }});
    if (!seen)
        return std::unexpected(std::move(seen.error()));
    if (auto stays = check_what_stays(*seen); !stays)
        return stays;
    sound_ = seen->sound();
    for (const event_run& run : seen->runs)
        report_.plan.events += run.end - std::min(run.end, std::max(run.first, options_.before));
    return {};
}

result<void> truncation::make_plan() {
    if (const auto control = control_view::open(directory_, id_))
        report_.plan.durable =
            std::max(control->stored_watermark(), control->durable().value_or(0));
    if (!cut_) {
        return std::unexpected(error{.code = errc::damaged,
                                     .sequence = options_.before - 1,
                                     .reason = "the last event that is to stay cannot be read"});
    }
    if (splits_batch_)
        return refused("this event and the one before it are of one batch, which cannot be split",
                       options_.before);
    report_.plan.cut = *cut_;
    // A log that ends there because it was cut there: its end stays.
    report_.plan.done_before =
        report_.plan.events == 0 && report_.plan.durable <= options_.before && sound_;
    if (report_.plan.done_before)
        return {};
    return list_what_moves();
}

result<directory_handle> truncation::make_room() const {
    if (auto made = directory_.make_directory(torn_name); !made)
        return std::unexpected(std::move(made.error()));
    auto torn = directory_.hold_below(torn_name);
    if (!torn)
        return torn;
    if (auto made = torn->make_directory(room_name()); !made)
        return std::unexpected(std::move(made.error()));
    if (auto synced = torn->sync(); !synced)
        return std::unexpected(std::move(synced.error()));
    if (auto synced = directory_.sync(); !synced)
        return std::unexpected(std::move(synced.error()));
    return torn->hold_below(room_name());
}

// Its file may have been cut short after the events that stay. Zeros take the place of the rest,
// which changes nothing about what it holds.
result<writable_segment> truncation::open_cut_segment() const {
    const std::uint64_t ordinal = report_.plan.cut.ordinal;
    auto segment = open_segment_for_repair(directory_, id_, ordinal);
    if (segment || segment.error().code != errc::damaged)
        return segment;
    const auto shortened = open_shortened_segment(directory_, id_, ordinal);
    if (!shortened)
        return segment;
    auto whole = directory_.open(segment_name(ordinal), file::access::read_write);
    if (!whole)
        return std::unexpected(std::move(whole.error()));
    if (auto extended = whole->allocate(shortened->header.segment_bytes); !extended)
        return std::unexpected(std::move(extended.error()));
    return open_segment_for_repair(directory_, id_, ordinal);
}

// If there is a copy already, an earlier call has made it and may have begun to zero the bytes: it
// is replaced only if one of them has another value than there, other than zero.
result<void> truncation::copy_rest(const writable_segment& segment, const directory_handle& into) {
    const std::uint64_t from = report_.plan.cut.offset;
    const std::uint64_t end = last_nonzero(segment.space(), segment.data(), from);
    if (auto whole = segment.bytes.whole(); !whole)
        return whole;
    if (end == from)
        return {};
    const std::span<const std::byte> rest{segment.bytes.data() + from, end - from};
    const std::string stem =
        torn_stem(segment.header.ordinal, segment.header.epoch) + "-" + std::to_string(from);
    std::string name = stem + ".bytes";
    for (int copy = 1;; ++copy) {
        const auto there = into.has(name);
        if (!there)
            return std::unexpected(there.error());
        if (!*there)
            break;
        const auto kept = into.read_whole(name, segment.bytes.size());
        if (!kept)
            return std::unexpected(kept.error());
        const auto is_kept = [&](std::size_t i) {
            return rest[i] == std::byte{0} || (i < kept->size() && rest[i] == (*kept)[i]);
        };
        if (std::ranges::all_of(std::views::iota(std::size_t{0}, rest.size()), is_kept))
            return {};
        name = stem + "." + std::to_string(copy) + ".bytes";
    }
    const std::array parts{rest};
    report_.kept.push_back("torn/" + room_name() + "/" + name);
    return into.write_whole(name, parts, directory_handle::on_existing::fail);
}

// Nothing that is kept is replaced.
result<void> truncation::move_there(const std::string& name, const directory_handle& into) {
    std::string to = name;
    for (int copy = 1;; ++copy) {
        auto moved = directory_.move(name, into, to, directory_handle::on_existing::fail);
        if (moved) {
            report_.kept.push_back("torn/" + room_name() + "/" + to);
            if (auto synced = into.sync(); !synced)
                return synced;
            return directory_.sync();
        }
        if (moved.error().os_error != EEXIST)
            return moved;
        to = name + "." + std::to_string(copy);
    }
}

result<void> truncation::carry_out() {
    if (report_.plan.done_before)
        return {};
    auto room = make_room();
    if (!room)
        return std::unexpected(std::move(room.error()));
    auto segment = open_cut_segment();
    if (!segment)
        return std::unexpected(std::move(segment.error()));
    if (auto copied = copy_rest(*segment, *room); !copied)
        return copied;
    for (const std::string& name : report_.plan.to_keep) {
        if (auto moved = move_there(name, *room); !moved)
            return moved;
    }
    const std::uint64_t from = report_.plan.cut.offset;
    PAWL_ASSERT(from >= first_frame_offset && from <= segment->bytes.size());
    const std::uint64_t end = last_nonzero(segment->space(), segment->data(), from);
    std::memset(segment->bytes.data() + from, 0, static_cast<std::size_t>(end - from));
    if (end == from)
        return {};
    if (auto synced = segment->bytes.sync(from, end - from); !synced)
        return synced;
    return segment->source.sync();
}

[[nodiscard]] result<truncate_report> truncate_at_rest(const std::filesystem::path& path,
                                                       const truncate_options& options) {
    auto held = hold_at_rest(path, options.allow_network_file_system);
    if (!held)
        return std::unexpected(std::move(held.error()));
    if (!options.dry_run && options.confirm != id_of(held->journal)) {
        return std::unexpected(error{.code = errc::invalid_argument,
                                     .reason = "the id that confirms is not this journal's",
                                     .file = held->directory.path_of(identity_name).string()});
    }
    // New files get the attributes of journal.pawl.
    auto directory = held->directory.giving_as(identity_name);
    if (!directory)
        return std::unexpected(std::move(directory.error()));
    truncation work{*directory, options, held->journal};
    if (const auto busy = writer_lock::is_held(*directory); busy && *busy) {
        return std::unexpected(name_holder({.code = errc::locked,
                                            .file = directory->path_of(lock_name).string(),
                                            .detail = "a writer holds the journal"},
                                           *directory));
    }
    if (auto looked = work.look(); !looked)
        return std::unexpected(std::move(looked.error()));
    {
        const auto lock = lock_at_rest(*directory);
        if (!lock)
            return std::unexpected(lock.error());
        if (auto planned = work.make_plan(); !planned)
            return std::unexpected(std::move(planned.error()));
        if (options.plan)
            options.plan(work.report().plan);
        if (options.dry_run)
            return std::move(work.report());
        if (auto done = work.carry_out(); !done)
            return std::unexpected(std::move(done.error()));
    }
    auto recovered =
        recover(path, {.allow_network_file_system = options.allow_network_file_system});
    if (!recovered)
        return std::unexpected(std::move(recovered.error()));
    work.report().recovery = std::move(*recovered);
    return std::move(work.report());
}

}  // namespace

}  // namespace detail

result<truncate_report> truncate(const std::filesystem::path& directory,
                                 const truncate_options& options) {
    return detail::guarded([&] { return detail::truncate_at_rest(directory, options); });
}

}  // namespace pawl
