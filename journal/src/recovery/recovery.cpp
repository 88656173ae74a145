#include "recovery/recovery.hpp"

#include "os/assertion.hpp"
#include "os/file.hpp"
#include "recovery/survey_at_rest.hpp"
#include "recovery/torn_evidence.hpp"
#include "store/control.hpp"
#include "store/directory.hpp"
#include "store/unwritten_blocks.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>

namespace pawl::detail {

namespace {

// Stores every byte of a range again, so that the next sync writes its pages even if an earlier
// sync failed and left them marked clean.
void store_again(std::byte* base, std::uint64_t from, std::uint64_t to) noexcept {
    PAWL_ASSERT(from <= to);
    for (std::uint64_t at = from / sizeof(std::uint64_t) * sizeof(std::uint64_t); at < to;
         at += sizeof(std::uint64_t)) {
        volatile auto* word = reinterpret_cast<volatile std::uint64_t*>(base + at);
        *word = *word;
    }
}

// Offset of the first frame at or above the sequence, system frames included.
[[nodiscard]] std::uint64_t offset_of_sequence(const frame_space& space, std::uint64_t end,
                                               sequence_number sequence) noexcept {
    PAWL_ASSERT(end >= first_frame_offset && end <= space.bytes);
    std::uint64_t offset = first_frame_offset;
    while (offset < end && load_u64(space.base + offset + frame_offset::sequence) < sequence) {
        const commit_word word{load_u64(space.base + offset)};
        // A page that was lost since the survey reads as zeros; the sync reports it.
        if (word.frame_bytes() < frame_header_bytes)
            break;
        offset += padded(word.frame_bytes());
    }
    PAWL_ASSERT(offset <= end);
    return offset;
}

class recoverer {
  public:
    explicit recoverer(const recovery_request& request)
        : request_{request}, id_{id_of(request.journal)} {}

    [[nodiscard]] result<recovered_log> run() {
        survey_request survey{
            .directory = request_.directory, .id = id_, .verify = request_.verify};
        if (auto control = control_view::open(request_.directory, id_)) {
            survey.stored_watermark = control->stored_watermark();
            survey.published = control->published();
        } else if (control.error().code == errc::damaged) {
            done_.report.notices.push_back(
                "the control file cannot be read and is created again: " +
                control.error().message());
        }
        if (auto surveyed = look(survey); !surveyed)
            return std::unexpected(std::move(surveyed.error()));
        fill_report();
        note_unsealed();
        done_.at_rest = done_.report.state == found::closed && done_.to_seal.empty() &&
                        survey_.blank_from == survey_.segments.size();
        if (request_.dry_run)
            return std::move(done_);
        if (auto changed = change(); !changed)
            return std::unexpected(std::move(changed.error()));
        return std::move(done_);
    }

  private:
    // A dry run may hold no lock, and what it sees beside a writer is not what a recovery would
    // find.
    [[nodiscard]] result<void> look(const survey_request& survey) {
        if (!request_.dry_run || request_.lock_held) {
            auto surveyed = survey_log(survey);
            if (!surveyed)
                return std::unexpected(std::move(surveyed.error()));
            survey_ = std::move(*surveyed);
            return {};
        }
        auto surveyed = survey_at_rest(survey);
        if (!surveyed)
            return std::unexpected(std::move(surveyed.error()));
        if (!*surveyed) {
            return std::unexpected(error{.code = errc::locked,
                                         .file = request_.directory.path_of(lock_name).string(),
                                         .detail = "a writer holds the journal"});
        }
        survey_ = std::move(**surveyed);
        return {};
    }

    [[nodiscard]] bool torn() const noexcept { return survey_.hole.has_value(); }
    [[nodiscard]] const surveyed_segment& holed() const {
        PAWL_ASSERT(torn() && survey_.hole->segment < survey_.segments.size());
        return survey_.segments[survey_.hole->segment];
    }
    // The segment with the hole holds something, or its predecessor rolled over to it. Otherwise it
    // was only prepared.
    [[nodiscard]] bool cut_in_place() const {
        PAWL_ASSERT(torn());
        return survey_.hole->offset > first_frame_offset || survey_.torn_bytes != 0 ||
               (survey_.end.known && survey_.end.type == system_type::rolled);
    }

    void fill_report() {
        recovery_report& report = done_.report;
        report.dry_run = request_.dry_run;
        report.next_sequence = survey_.next_sequence;
        report.durable = survey_.durable;
        report.segments = survey_.segments.size();
        report.segments_read = survey_.segments.size() - survey_.first_read;
        report.bytes_read = survey_.bytes_read;
        report.state = survey_.segments.empty() ? found::created : found::closed;
        for (const auto& segment : survey_.segments) {
            if (!segment.header_note.empty()) {
                report.notices.push_back(
                    request_.directory.path_of(segment_name(segment.ordinal)).string() + ": " +
                    segment.header_note);
            }
        }
        if (survey_.below_beginning != 0) {
            report.notices.push_back(
                std::to_string(survey_.below_beginning) +
                " segments before the beginning of the log were left by a prune that did not come "
                "to its end; the next prune removes them");
        }
        if (!torn())
            return;
        report.state = found::torn_tail;
        report.cut = {holed().ordinal, survey_.hole->offset};
        report.cut_sequence = survey_.hole->sequence;
        report.lost_about = survey_.seen - std::min(survey_.seen, survey_.hole->sequence);
        report.torn_bytes = survey_.torn_bytes;
    }

    // The survey has decided: either nothing is torn, or nothing after the hole was ever
    // acknowledged as durable. It has changed nothing. The steps below are in an order in which a
    // crash between any two leaves a journal that the next recovery judges in the same way:
    //
    // 1. Remove temporary files. Nothing refers to them. A crash leaves some of them.
    // 2. Store the frames after the watermark again and sync them. Their bytes do not change, so a
    //    crash leaves what was there. This comes before anything that makes them count: the end
    //    frame and the new segment vouch for every frame before the hole, and an earlier failed
    //    sync may have left pages that are marked clean but were never written.
    // 3. Move the segments after the hole to torn/, last one first. A crash leaves a shorter run of
    //    segments after the same hole; moving the first one first would leave a gap, which looks
    //    like a missing segment.
    // 4. Create the successor (cut() and replace_prepared() say in which order).
    //
    // Whatever the crash leaves, the hole is where it was and is judged the same, since only bytes
    // and segments after it are gone. The next report may count fewer lost events, because it
    // counts only what it still sees.
    [[nodiscard]] result<void> change() {
        PAWL_ASSERT(!request_.dry_run);
        if (auto done = remove_temporaries(request_.directory); !done)
            return done;
        if (auto done = store_again_what_may_be_lost(); !done)
            return done;
        if (auto done = clear_away_later_segments(); !done)
            return done;
        if (torn())
            return cut_in_place() ? cut() : replace_prepared();
        const std::uint64_t ordinal = survey_.blank_from == 0
                                          ? survey_.begin.ordinal
                                          : survey_.segments[survey_.blank_from - 1].ordinal + 1;
        done_.next = wanted_segment{.ordinal = ordinal, .before = before_next()};
        return {};
    }

    [[nodiscard]] predecessor before_next() const {
        if (!survey_.end.known)
            return {};
        return {survey_.end.epoch, survey_.end.offset, survey_.end.hash, survey_.next_sequence};
    }

    void note_unsealed() {
        for (std::size_t i = 0; i < survey_.blank_from; ++i) {
            const bool is_hole = torn() && i == survey_.hole->segment;
            if (torn() && i > survey_.hole->segment)
                break;
            if (is_hole && !cut_in_place())
                break;
            if (!survey_.segments[i].sealed)
                done_.to_seal.push_back(survey_.segments[i].ordinal);
        }
    }

    [[nodiscard]] result<void> store_again_what_may_be_lost() {
        for (std::size_t i = survey_.first_read; i < survey_.blank_from; ++i) {
            const surveyed_segment& segment = survey_.segments[i];
            if (segment.sealed || !segment.read)
                continue;
            auto opened = open_segment_for_repair(request_.directory, id_, segment.ordinal);
            if (!opened)
                return std::unexpected(std::move(opened.error()));
            if (auto stored = store_again_in(segment.walk, *opened); !stored)
                return stored;
        }
        return {};
    }

    [[nodiscard]] result<void> store_again_in(const walk_end& walk,
                                              const writable_segment& segment) {
        std::byte* base = segment.bytes.data();
        const frame_space space{base, segment.bytes.size(), segment.header.epoch};
        PAWL_ASSERT(walk.offset >= first_frame_offset && walk.offset <= space.bytes);
        const std::uint64_t from = offset_of_sequence(space, walk.offset, survey_.durable);
        std::uint64_t to = walk.offset;
        if (walk.ended()) {
            to += end_frame_bytes;
            PAWL_ASSERT(to <= space.bytes);
            // What an abandoned reservation wrote after a clean end was zeroed in memory. The zeros
            // may never have reached the disk, even if they are still in memory, so everything that
            // may hold data is stored again.
            if (walk.end_type != system_type::cut) {
                const data_ranges data = segment.data();
                const std::uint64_t scribbled = last_nonzero(space, data, to);
                PAWL_ASSERT(scribbled >= to && scribbled <= space.bytes);
                std::memset(base + to, 0, static_cast<std::size_t>(scribbled - to));
                to = std::max(to, data.end());
            }
        }
        store_again(base, from, to);
        done_.report.bytes_rewritten += to - from;
        return sync_for_good(segment, from, to - from);
    }

    [[nodiscard]] result<void> sync_for_good(const writable_segment& segment, std::uint64_t offset,
                                             std::uint64_t bytes) {
        auto past_the_cache = detail::sync_for_good(segment, offset, bytes);
        if (!past_the_cache)
            return std::unexpected(std::move(past_the_cache.error()));
        if (*past_the_cache) {
            done_.report.notices.push_back(
                segment.bytes.path().string() +
                ": an earlier write had failed; written again, bypassing the page cache");
        }
        return {};
    }

    // Moves the segments after the hole to torn/ and unlinks those that hold nothing. From the last
    // to the first: a crash must not leave a gap in the ordinals.
    [[nodiscard]] result<void> clear_away_later_segments() {
        const std::size_t first = torn() ? survey_.hole->segment + 1 : survey_.blank_from;
        PAWL_ASSERT(first <= survey_.segments.size());
        for (std::size_t i = survey_.segments.size(); i > first; --i) {
            const surveyed_segment& segment = survey_.segments[i - 1];
            auto cleared = i - 1 >= survey_.blank_from
                               ? request_.directory.unlink(segment_name(segment.ordinal))
                               : evidence_.keep_segment(segment.ordinal, segment.header);
            if (!cleared)
                return cleared;
        }
        return request_.directory.sync();
    }

    [[nodiscard]] result<writable_segment> create_next(
        std::uint64_t ordinal, const predecessor& before,
        directory_handle::on_existing existing = directory_handle::on_existing::fail) {
        PAWL_ASSERT(std::holds_alternative<std::monostate>(done_.next));
        return create_segment({.directory = request_.directory,
                               .id = id_,
                               .ordinal = ordinal,
                               .segment_bytes = request_.journal.segment_bytes,
                               .before = before,
                               .existing = existing,
                               .allocate_bytes = request_.allocate_bytes});
    }

    // The segment was prepared and never written, so there are no bytes to keep, and the new file
    // is renamed over it. A crash before the rename leaves the prepared segment as it was found; a
    // crash after it leaves a prepared segment that names its predecessor.
    [[nodiscard]] result<void> replace_prepared() {
        PAWL_ASSERT(survey_.hole->offset == first_frame_offset && survey_.torn_bytes == 0);
        auto made =
            create_next(holed().ordinal, before_next(), directory_handle::on_existing::replace);
        if (!made)
            return std::unexpected(std::move(made.error()));
        done_.next = std::move(*made);
        return {};
    }

    // Ends the torn segment at the hole, in this order:
    //
    // 1. Create the successor, which names this segment, the hole and the sequence there. A crash
    //    after this step leaves the hole and, after it, a segment that holds nothing: the next
    //    recovery moves nothing and creates the successor again.
    // 2. Keep the bytes that the end frame will overwrite, in a file that is synced and renamed
    //    into place. A crash after this step leaves a copy of bytes that are still there.
    // 3. Store the end frame and sync it. A crash before it is on disk leaves the hole, because the
    //    frame's hash covers all of it. A crash afterwards leaves a segment that ends, and a
    //    successor that names that end: the log is whole.
    //
    // Step 1 comes before step 3 because an end frame says that there is a next segment: without
    // one, the next recovery would call it missing and refuse.
    [[nodiscard]] result<void> cut() {
        const log_hole& hole = *survey_.hole;
        auto opened = open_segment_for_repair(request_.directory, id_, holed().ordinal);
        if (!opened)
            return std::unexpected(std::move(opened.error()));
        PAWL_ASSERT(survey_.durable <= hole.sequence);
        PAWL_ASSERT(hole.offset % frame_alignment == 0);
        PAWL_ASSERT(end_frame_bytes <= opened->bytes.size() - hole.offset);
        // Release space first, so that a full disk has room for what follows.
        evidence_.release_after(hole.offset + end_frame_bytes, *opened);
        auto made = create_next(holed().ordinal + 1, {.epoch = opened->header.epoch,
                                                      .end_offset = hole.offset,
                                                      .end_hash = 0,
                                                      .start_sequence = hole.sequence});
        if (!made)
            return std::unexpected(std::move(made.error()));
        done_.next = std::move(*made);
        if (auto kept = evidence_.keep_overwritten(*opened, hole.offset); !kept)
            return kept;
        store_cut_frame(*opened);
        return sync_for_good(*opened, hole.offset, end_frame_bytes);
    }

    void store_cut_frame(const writable_segment& segment) {
        PAWL_ASSERT(std::holds_alternative<writable_segment>(done_.next));
        PAWL_ASSERT(segment.header.ordinal == holed().ordinal);
        const log_hole& hole = *survey_.hole;
        const walk_end& walk = holed().walk;
        const end_payload payload{.successor_epoch = 0,
                                  .first_sequence = walk.first_sequence,
                                  .events = walk.events,
                                  .lost_about = done_.report.lost_about,
                                  .torn_bytes = done_.report.torn_bytes};
        frame_header header{};
        header.sequence = hole.sequence;
        header.timestamp_ns = system_time_ns();
        std::byte* frame = segment.bytes.data() + hole.offset;
        // A reader in another process may be reading here. It must find no frame until all of the
        // new one is stored, so the commit word is cleared first and stored last.
        store_commit(frame, 0);
        std::memcpy(frame + frame_offset::hash,
                    reinterpret_cast<const std::byte*>(&header) + frame_offset::hash,
                    frame_header_bytes - frame_offset::hash);
        std::memcpy(frame + frame_header_bytes, &payload, sizeof payload);
        const commit_word word{end_frame_bytes, flag::system,
                               static_cast<std::uint16_t>(system_type::cut), 0};
        store_u64(
            frame + frame_offset::hash,
            frame_hash(frame, end_frame_bytes, segment.header.epoch, hole.offset, word.value()));
        store_commit(frame, word.value());
    }

    recovery_request request_;
    journal_id id_;
    log_survey survey_;
    recovered_log done_;
    torn_evidence evidence_{request_.directory, done_.report};
};

}  // namespace

result<recovered_log> recover_log(const recovery_request& request) {
    return recoverer{request}.run();
}

}  // namespace pawl::detail
