#include "audit/stream_audit.hpp"
#include "audit/tail_verdict.hpp"
#include "format/metadata.hpp"
#include "format/segment_walk.hpp"
#include "os/file.hpp"
#include "recovery/log_survey.hpp"
#include "recovery/survey_at_rest.hpp"
#include "store/control.hpp"
#include "store/directory.hpp"
#include "store/heads_file.hpp"
#include "store/retained.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace pawl {

namespace {

using namespace detail;  // NOLINT(google-build-using-namespace): the layers below this file

class verifier {
  public:
    verifier(const std::filesystem::path& directory, const verify_options& options)
        : directory_{directory}, options_{options} {}

    [[nodiscard]] result<verify_report> run() {
        auto journal = read_identity(directory_);
        if (!journal)
            return std::unexpected(std::move(journal.error()));
        id_ = report_.id = id_of(*journal);
        report_.origin = identity_of(*journal).origin;
        if (options_.deep) {
            auto audit = stream_audit::start();
            if (!audit)
                return std::unexpected(std::move(audit.error()));
            streams_ = std::move(*audit);
        }
        note_network_file_system();
        if (auto begun = begin_where_the_log_does(); !begun)
            return std::unexpected(std::move(begun.error()));
        // Heads are read before the segments are listed: a live writer writes heads only for
        // segments that exist by then.
        check_heads();
        check_control();
        report_.end = "open";
        if (auto read = check_segments(journal->segment_bytes); !read)
            return std::unexpected(std::move(read.error()));
        report_.next_sequence = sequence_;
        return finish_streams();
    }

  private:
    void find(error what, bool damage = true) {
        const bool unreadable = is_unreadable(what.code);
        report_.findings.push_back({std::move(what), damage && !unreadable, unreadable});
    }
    // The bytes could not be read, so they are not known to be wrong.
    [[nodiscard]] static bool is_unreadable(errc code) noexcept {
        return code == errc::io || code == errc::locked || code == errc::newer_format;
    }
    [[nodiscard]] error at(std::uint64_t ordinal, std::uint64_t offset, errc code,
                           std::string detail) const {
        return error{.code = code,
                     .offset = offset,
                     .sequence = sequence_,
                     .file = segment_path(directory_, ordinal).string(),
                     .detail = std::move(detail)};
    }

    void note_network_file_system() {
        auto local = refuse_network_file_system(directory_);
        if (!local && local.error().code == errc::network_file_system)
            report_.findings.push_back({std::move(local.error()), false, false});
    }

    // Where the log begins now. What was pruned is known from `retained` alone: streams and names
    // of the log start over. Does nothing if reading has passed that place.
    [[nodiscard]] result<void> begin_where_the_log_does() {
        auto begin = read_log_begin(directory_, id_);
        if (!begin)
            return std::unexpected(std::move(begin.error()));
        if (begin->ordinal <= expected_ordinal_)
            return {};
        begin_ = *begin;
        expected_ordinal_ = begin->ordinal;
        before_ = begin->before;
        sequence_ = begin->sequence();
        sequence_known_ = true;
        names_digest_ = begin->names_digest;
        gap_.reset();
        check_retained();
        if (streams_)
            streams_->begin_at(begin->ordinal);
        return {};
    }

    // One copy that is not whole is no damage to the log, but leaves it without a second.
    void check_retained() {
        for (const std::string_view name : {retained_name, retained_copy_name}) {
            auto kept = read_retained_copy(directory_, id_, name);
            if (!kept)
                find(std::move(kept.error()), false);
        }
    }

    void check_control() {
        auto control = control_view::open(directory_, id_);
        if (!control) {
            if (control.error().code == errc::damaged)
                find(std::move(control.error()), false);
            return;
        }
        stored_watermark_ = control->stored_watermark();
    }

    void check_heads() {
        auto heads = read_heads(directory_, id_);
        // Heads of a segment that was pruned are not used, so they cannot be wrong.
        if (heads && heads->ordinal < begin_.ordinal)
            return;
        if (heads && streams_)
            streams_->judge_at_its_place(std::move(*heads));
        else if (!heads && heads.error().code == errc::damaged)
            find(heads.error(), false);
    }

    void find_in_heads(const std::optional<stream_fault>& fault) {
        if (!fault)
            return;
        find(error{.code = errc::damaged,
                   .offset = fault->offset,
                   .sequence = fault->sequence,
                   .file = heads_path(directory_).string(),
                   .detail = fault->text()},
             false);
    }

    // Reports breaks in the streams' versions, unless the index builder has already reported the
    // same frame.
    void check_versions(std::uint64_t ordinal, const error* found_already) {
        if (!streams_ || !streams_->fault())
            return;
        const stream_fault& fault = *streams_->fault();
        if (found_already != nullptr && found_already->offset == fault.offset)
            return;
        error wrong = at(ordinal, fault.offset, errc::damaged, fault.text());
        wrong.sequence = fault.sequence;
        find(std::move(wrong));
    }

    [[nodiscard]] result<verify_report> finish_streams() {
        if (!streams_)
            return std::move(report_);
        if (streams_->out_of_memory())
            return fail(errc::out_of_memory);
        find_in_heads(streams_->finish());
        report_.streams = streams_->streams();
        return std::move(report_);
    }

    // Passes a valid event to the caller's visitor, and counts a name towards the next event's
    // digest.
    void show(const frame_space& space, std::uint64_t ordinal, std::uint64_t offset,
              commit_word word) {
        const std::byte* frame = space.base + offset;
        const std::uint64_t content = content_hash_of(frame, space.epoch, offset);
        if (word.is_system()) {
            if (classify_system(word) == system_class::stream_name)
                names_digest_ += digest_term(content);
            return;
        }
        options_.visit(event{frame,
                             {ordinal, offset},
                             content,
                             view_frame(frame, word).metadata_bytes,
                             std::exchange(names_digest_, 0)});
    }

    [[nodiscard]] walk_end walk(std::uint64_t ordinal, const frame_space& space,
                                const walk_start& from) {
        if (!streams_ && !options_.visit)
            return walk_segment(space, from, [](std::uint64_t, commit_word) {});
        return walk_segment(space, from, [&](std::uint64_t offset, commit_word word) {
            if (streams_)
                streams_->add(space, offset, word);
            if (options_.visit)
                show(space, ordinal, offset, word);
        });
    }

    // A writer may create, remove and replace segments meanwhile. If the segments turn out not to
    // be those that were listed, they are listed again, and reading continues from there.
    [[nodiscard]] result<void> check_segments(std::uint64_t segment_bytes) {
        constexpr int most_lists = 1000;
        for (int lists = 1;; ++lists) {
            auto ordinals = list_log(directory_, begin_);
            if (!ordinals)
                return std::unexpected(std::move(ordinals.error()));
            // A prune moves the beginning before it removes a segment that is missing in the list.
            if (auto begun = begin_where_the_log_does(); !begun)
                return begun;
            report_.segments = ordinals->size();
            again_from_.reset();
            for (const std::uint64_t ordinal : *ordinals) {
                if (ordinal < expected_ordinal_)
                    continue;
                if (ordinal != expected_ordinal_)
                    note_gap(ordinal);
                check_segment(ordinal);
                if (again_from_)
                    break;
                expected_ordinal_ = ordinal + 1;
                report_.bytes = (expected_ordinal_ - begin_.ordinal) * segment_bytes;
                if (options_.progress)
                    options_.progress(report_.bytes, ordinals->size() * segment_bytes);
            }
            if (!again_from_) {
                judge_end(!ordinals->empty());
                return {};
            }
            if (lists == most_lists) {
                find({.code = errc::locked,
                      .sequence = sequence_,
                      .file = directory_.string(),
                      .detail = "writers came and went each time the journal was read"});
                return {};
            }
            expected_ordinal_ = *again_from_;
        }
    }

    void note_gap(std::uint64_t ordinal) {
        // A segment that was prepared and not used may outlive an earlier one; whether that
        // happened is decided later. Every other segment needs its predecessor.
        gap_ = gap{.first = expected_ordinal_,
                   .next = ordinal,
                   .before = before_,
                   .sequence = sequence_,
                   .sequence_known = sequence_known_};
        lose_track();
    }

    // A segment that the listing lacks may exist nevertheless: a listing is not a snapshot of one
    // moment.
    [[nodiscard]] bool gap_was_filled() {
        if (!gap_ || !open_segment(directory_, id_, gap_->first))
            return false;
        go_back_to_gap();
        return true;
    }

    // The segment is not the one that the listing had.
    void list_again_from(std::uint64_t ordinal) {
        again_from_ = ordinal;
        if (gap_)
            go_back_to_gap();
    }

    // A close removes a segment that was only prepared, and the next writer creates another one
    // under its name, which may be sealed by the time its index is read.
    [[nodiscard]] bool was_replaced(std::uint64_t ordinal, std::uint64_t epoch) const {
        const auto now = open_segment(directory_, id_, ordinal);
        return now ? now->header.epoch != epoch : now.error().code == errc::missing_segment;
    }

    void go_back_to_gap() {
        before_ = gap_->before;
        sequence_ = gap_->sequence;
        sequence_known_ = gap_->sequence_known;
        again_from_ = gap_->first;
        gap_.reset();
    }

    void check_segment(std::uint64_t ordinal) {
        auto opened = open_segment(directory_, id_, ordinal);
        if (!opened && opened.error().code == errc::missing_segment) {
            list_again_from(ordinal);
            return;
        }
        if (!opened) {
            opened.error().sequence = sequence_;
            find(std::move(opened.error()));
            lose_segment(ordinal);
            return;
        }
        if (opened->one_header_bad) {
            const bool first = opened->header_note.starts_with("first");
            find(at(ordinal, first ? 0 : header_copy_offset, errc::damaged, opened->header_note),
                 false);
        }
        const frame_space space = opened->space();
        const data_ranges data = opened->data();
        if (torn_)
            return;  // what a recovery would move away is no longer the log
        check_header_padding(ordinal, space);
        auto read = read_index(directory_, id_, ordinal);
        if (read && read->header.epoch != opened->header.epoch &&
            was_replaced(ordinal, opened->header.epoch)) {
            list_again_from(ordinal);
            return;
        }
        const auto index = index_of(ordinal, opened->header.epoch, std::move(read));
        const bool unused = !index && load_u64(space.base + first_frame_offset) == 0 &&
                            before_.type != system_type::rolled &&
                            opened->header.predecessor_epoch == 0 && ordinal != begin_.ordinal;
        if (unused && first_nonzero(space, data, first_frame_offset) == space.bytes) {
            gap_.reset();
            return;
        }
        if (gap_was_filled())
            return;
        report_gap();
        if (before_.known || ordinal == begin_.ordinal) {
            if (auto wrong = misfit(opened->header, before_); !wrong.empty()) {
                find(at(ordinal, 0, errc::damaged, std::move(wrong)));
            }
        }
        check_frames(ordinal, *opened, data, index);
    }

    void report_gap() {
        if (!gap_)
            return;
        error missing = at(gap_->next - 1, no_value, errc::missing_segment,
                           "the segment does not exist, but later ones do");
        find(std::move(missing));
        gap_.reset();
        if (streams_)
            streams_->lose_track();
    }

    void check_header_padding(std::uint64_t ordinal, const frame_space& space) {
        for (const std::uint64_t copy : {std::uint64_t{0}, std::uint64_t{header_copy_offset}}) {
            const std::uint64_t end = copy + header_copy_offset;
            const frame_space block{space.base, end, space.epoch};
            const std::uint64_t nonzero =
                first_nonzero(block, data_ranges{end}, copy + sizeof(segment_header));
            if (nonzero != end) {
                find(at(ordinal, nonzero, errc::damaged, "nonzero bytes after a segment header"),
                     false);
            }
        }
    }

    [[nodiscard]] std::optional<segment_index> index_of(std::uint64_t ordinal, std::uint64_t epoch,
                                                        result<segment_index> index) {
        if (!index) {
            if (index.error().code != errc::not_found)
                find(std::move(index.error()), false);
            return std::nullopt;
        }
        if (index->header.epoch == epoch)
            return std::move(*index);
        find_in_index(ordinal, "the index has another epoch than the segment");
        return std::nullopt;
    }

    void find_in_index(std::uint64_t ordinal, std::string detail) {
        error wrong = at(ordinal, 0, errc::damaged, std::move(detail));
        wrong.file = index_path(directory_, ordinal).string();
        find(std::move(wrong), false);
    }

    void check_frames(std::uint64_t ordinal, const read_segment& segment, const data_ranges& data,
                      const std::optional<segment_index>& index) {
        const frame_space space = segment.space();
        const sequence_number first =
            load_u64(space.base + first_frame_offset + frame_offset::sequence);
        if (!sequence_known_)
            sequence_ = index ? index->header.first_sequence : first;
        check_links(ordinal, index);
        if (streams_)
            streams_->begin_segment(ordinal);
        const walk_end end = walk_to_end(ordinal, segment, index.has_value());
        if (again_from_)
            return;
        if (auto whole = segment.bytes.whole(); !whole) {
            // A segment that cannot be read is neither torn nor damaged.
            find(std::move(whole.error()));
            lose_segment(ordinal);
            return;
        }
        report_.events += end.events;
        if (!seen_first_)
            report_.first_sequence = end.first_sequence;
        seen_first_ = true;
        if (!end.ended()) {
            sequence_ = end.sequence;
            check_versions(ordinal, nullptr);
            note_hole(ordinal, end, index);
            return;
        }
        sequence_known_ = true;
        sequence_ = end.sequence;
        before_ = end_of(segment.header, end);
        auto built = build_index(
            {.space = space, .id = id_, .ordinal = ordinal, .behind_end = index ? &data : nullptr},
            segment_path(directory_, ordinal));
        check_versions(ordinal, built ? nullptr : &built.error());
        if (streams_)
            find_in_heads(streams_->end_segment(segment.header.epoch, sequence_));
        if (streams_ && built)
            streams_->note_commands(!built->commands.empty());
        if (!built) {
            find(std::move(built.error()));
        } else if (index && !same(std::move(*built), *index)) {
            find_in_index(ordinal, "the index does not agree with the log");
        }
    }

    // Walks to the end of the segment, or to a hole that no writer has filled meanwhile.
    [[nodiscard]] walk_end walk_to_end(std::uint64_t ordinal, const read_segment& segment,
                                       bool sealed) {
        const frame_space space = segment.space();
        walk_end end = walk(ordinal, space, {.sequence = sequence_});
        while (!end.ended() && !sealed && !segment.bytes.faulted()) {
            tail_ = judge_tail(
                {.directory = directory_, .id = id_, .stored_watermark = stored_watermark_}, end);
            const hole_now now = look_again(directory_, id_,
                                            {.ordinal = ordinal,
                                             .epoch = space.epoch,
                                             .offset = end.offset,
                                             .sequence = end.sequence});
            if (now == hole_now::still_there)
                break;
            if (now == hole_now::replaced) {
                // What was read of it, if anything, is no longer part of the log.
                if (end.offset == first_frame_offset)
                    again_from_ = ordinal;
                tail_ = {};
                break;
            }
            const walk_end more =
                walk(ordinal, space, {.offset = end.offset, .sequence = end.sequence});
            end = joined(end, more);
        }
        return end;
    }

    // Ignores the links to earlier segments, which one segment cannot determine, except that a
    // stream that begins here must have none.
    [[nodiscard]] static bool same(segment_index built, const segment_index& read) {
        for (std::size_t i = 0; i < std::min(built.streams.size(), read.streams.size()); ++i) {
            std::uint32_t& back = built.streams[i].segments_back;
            back = back == not_linked ? read.streams[i].segments_back : back;
        }
        index_header& a = built.header;
        index_header b = read.header;
        a.commands_back = b.commands_back;
        a.sections = b.sections = 0;
        a.checksums_offset = b.checksums_offset = 0;
        a.checksum = b.checksum = 0;
        const auto equal = [](const auto& left, const auto& right) {
            return left.size() == right.size() &&
                   (left.empty() ||
                    std::memcmp(left.data(), right.data(), left.size() * sizeof(left[0])) == 0);
        };
        return std::memcmp(&a, &b, sizeof b) == 0 && equal(built.marks, read.marks) &&
               equal(built.streams, read.streams) && equal(built.names, read.names) &&
               equal(built.types, read.types) && equal(built.commands, read.commands);
    }

    void check_links(std::uint64_t ordinal, const std::optional<segment_index>& index) {
        if (!streams_ || !index)
            return;
        if (const auto fault = streams_->check_links(*index))
            find_in_index(ordinal, fault->text());
    }

    void note_hole(std::uint64_t ordinal, const walk_end& end,
                   const std::optional<segment_index>& index) {
        if (index) {
            find(at(ordinal, end.offset, code_of(end.fault),
                    std::string{to_string(end.fault)} +
                        "; an index proves that the segment was complete"));
            lose_segment(ordinal);
            before_ = end_of(index->header);
            sequence_ = index->header.end_sequence;
            sequence_known_ = true;
            return;
        }
        if (end.fault == frame_fault::newer) {
            find(at(ordinal, end.offset, errc::newer_format, std::string{to_string(end.fault)}));
            lose_segment(ordinal);
            return;
        }
        if (tail_.damage) {
            find(std::move(*tail_.damage));
            lose_segment(ordinal);
            return;
        }
        torn_ = true;
        if (!tail_.torn)
            return;
        report_.end = "torn";
        report_.torn_bytes = tail_.torn_bytes;
    }

    void lose_track() {
        before_ = {};
        sequence_known_ = false;
    }

    void lose_segment(std::uint64_t ordinal) {
        lose_track();
        if (streams_)
            streams_->lose_segment(ordinal);
    }

    void judge_end(bool any) {
        if (torn_)
            return;
        // A live writer has continued in a segment that did not exist when they were listed. Its
        // contents are for the next verification, and the watermark proves nothing against this
        // one.
        if (auto next = open_segment(directory_, id_, expected_ordinal_);
            next || next.error().code != errc::missing_segment) {
            if (!next)
                find(std::move(next.error()));
            return;
        }
        if (before_.known && before_.type == system_type::closed)
            report_.end = "closed";
        if (before_.known && before_.type != system_type::closed) {
            find(at(expected_ordinal_, no_value, errc::missing_segment,
                    "its predecessor's end frame says that it exists"));
        }
        if ((before_.known || !any) && stored_watermark_ > sequence_) {
            find(at(expected_ordinal_, no_value, errc::missing_segment,
                    "the control file proves that all events below sequence " +
                        std::to_string(stored_watermark_) + " were durable"));
        }
    }

    std::filesystem::path directory_;
    verify_options options_;
    journal_id id_{};
    verify_report report_;
    std::optional<stream_audit> streams_;  // with verify_options::deep
    sequence_number stored_watermark_ = 0;
    log_begin begin_{};
    std::uint64_t expected_ordinal_ = 0;
    segment_end before_{};
    sequence_number sequence_ = 0;
    std::uint64_t names_digest_ = 0;  // of the names after the last event
    bool sequence_known_ = true;
    bool seen_first_ = false;
    bool torn_ = false;
    tail_verdict tail_;
    // Segments that the list lacks, and where the chain stood before them.
    struct gap {
        std::uint64_t first = 0;
        std::uint64_t next = 0;  // the first one after them
        segment_end before{};
        sequence_number sequence = 0;
        bool sequence_known = true;
    };
    std::optional<gap> gap_;
    std::optional<std::uint64_t> again_from_;  // the segments are not those that were listed
};

}  // namespace

bool verify_report::sound() const noexcept {
    return std::ranges::none_of(findings,
                                [](const finding& one) { return one.damage || one.unreadable; });
}

result<verify_report> verify(const std::filesystem::path& directory,
                             const verify_options& options) {
    try {
        return verifier{absolute_path(directory), options}.run();
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

}  // namespace pawl
