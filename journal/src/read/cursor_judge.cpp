// How a cursor tells the end of a journal from damage, and notices that the log was cut below its
// position.
#include "os/assertion.hpp"
#include "read/cursor_state.hpp"
#include "recovery/survey_at_rest.hpp"
#include "store/directory.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace pawl::detail {

result<end_of_journal> cursor_state::judge_end() {
    if (auto valid = revalidate(); !valid)
        return std::unexpected(std::move(valid.error()));
    if (!segment_)
        return judge_missing(end_of_journal::open);
    if (left_) {
        return left_->type == system_type::closed ? judge_missing(end_of_journal::closed)
                                                  : end_of_journal::open;
    }
    if (links_.active())
        return end_of_journal::open;
    // The window does not show the rest of the segment yet, and at first nothing of it.
    if (!has_room_for_header(space_, offset_))
        return end_of_journal::open;
    if (load_commit(space_.base + offset_) != 0)
        return end_of_journal::open;
    return judge_hole(frame_fault::absent);
}

// The log ends here without a hole, unless the control file proves that more was durable. A writer
// creates the next segment before it stores a watermark beyond this one, so look for the segment
// last.
result<end_of_journal> cursor_state::judge_missing(end_of_journal seen) {
    const segment_end end = left_.value_or(begin_.before);
    const sequence_number durable =
        durable_.control() != nullptr ? durable_.control()->stored_watermark() : 0;
    if (durable <= end.sequence)
        return seen;
    const std::uint64_t ordinal = end.known ? end.ordinal + 1 : begin_.ordinal;
    auto successor = open_segment(directory_, id_, ordinal);
    if (successor && misfit(successor->header, end).empty())
        return end_of_journal::open;
    if (!successor && successor.error().code != errc::missing_segment)
        return std::unexpected(std::move(successor.error()));
    return std::unexpected(
        error{.code = errc::missing_segment,
              .sequence = end.sequence,
              .file = segment_path(directory_, ordinal).string(),
              .detail = "the control file proves that all events below sequence " +
                        std::to_string(durable) + " were durable"});
}

// Whether there is still no whole frame here. Called after everything that makes it look like
// damage was read, because a writer may have changed files between two of the reads.
bool cursor_state::hole_remains() const {
    PAWL_ASSERT(segment_.has_value());
    const segment_header& header = segment_->header;
    return look_again(directory_, id_,
                      {.ordinal = header.ordinal,
                       .epoch = header.epoch,
                       .offset = offset_,
                       .sequence = sequence_}) == hole_now::still_there;
}

// A frame is missing or wrong where the cursor stands.
result<end_of_journal> cursor_state::judge_hole(frame_fault fault) {
    PAWL_ASSERT(segment_.has_value() && fault != frame_fault::none);
    const auto damaged = [&](std::string_view proof) -> result<end_of_journal> {
        if (!hole_remains())
            return end_of_journal::open;
        return std::unexpected(
            here(errc::damaged, std::string{to_string(fault)} + "; " + std::string{proof}));
    };
    const auto index = read_index_header(directory_, id_, segment_->header.ordinal);
    if (index && index->epoch == segment_->header.epoch)
        return damaged("an index proves that the segment is complete");
    survey_request request{.directory = directory_, .id = id_};
    if (const control_view* control = durable_.control()) {
        request.stored_watermark = control->stored_watermark();
        request.published = control->published();
    }
    auto surveyed = survey_at_rest(request);
    if (!surveyed) {
        if (!hole_remains())
            return end_of_journal::open;
        return std::unexpected(std::move(surveyed.error()));
    }
    if (!*surveyed) {
        const std::string_view proof = proof_beyond();
        return proof.empty() ? end_of_journal::open : damaged(proof);
    }
    const log_survey& found = **surveyed;
    const bool same_place = found.hole && found.hole->sequence == sequence_ &&
                            found.segments[found.hole->segment].ordinal == segment_->header.ordinal;
    if (same_place)
        return end_of_journal::torn;
    // Meanwhile a writer has continued the log, or cut it here.
    return end_of_journal::open;
}

// While a writer is alive, what proves that the log continues past the cursor's position; empty if
// nothing does.
std::string_view cursor_state::proof_beyond() const {
    PAWL_ASSERT(segment_.has_value());
    if (const control_view* control = durable_.control();
        control != nullptr && control->durable().value_or(0) > sequence_)
        return "the writer reports it as durable";
    const auto successor = open_segment(directory_, id_, segment_->header.ordinal + 1);
    if (successor && load_commit(successor->bytes.data() + first_frame_offset) != 0)
        return "the writer has continued in the next segment";
    return {};
}

result<void> cursor_state::revalidate() {
    durable_.refresh();
    if (!segment_ || left_ || links_.active())
        return {};
    if (auto reopened = reopen_if_replaced(); !reopened)
        return reopened;
    const auto successor = open_segment(directory_, id_, segment_->header.ordinal + 1);
    if (!successor)
        return {};
    const segment_header& header = successor->header;
    if (header.predecessor_epoch == segment_->header.epoch && header.start_sequence < sequence_) {
        return std::unexpected(
            error{.code = errc::rewound,
                  .offset = header.predecessor_end_offset,
                  .sequence = header.start_sequence,
                  .file = segment_->bytes.path().string(),
                  .detail = "a recovery cut the log below sequence " + std::to_string(sequence_)});
    }
    return {};
}

result<void> cursor_state::reopen_if_replaced() {
    PAWL_ASSERT(segment_.has_value() && !left_);
    const std::uint64_t ordinal = segment_->header.ordinal;
    const auto named = directory_handle{directory_}.identity_of(segment_name(ordinal));
    if (named && *named == segment_->which)
        return {};
    // Only a journal that is still at its path can prove that one of its segments is gone.
    if (auto here_still = check_identity(); !here_still)
        return here_still;
    auto opened = open_segment(directory_, id_, ordinal);
    const bool none = !opened && opened.error().code == errc::missing_segment;
    // A copy replaced the file, as unpacking a backup over it does.
    if (opened && opened->header.epoch == segment_->header.epoch) {
        go_on_in(std::move(*opened));
        return {};
    }
    // A mapped segment is read to its end, whatever was pruned meanwhile.
    if (none && !refuse_pruned(ordinal))
        return {};
    if (offset_ != first_frame_offset) {
        if (!opened && !none)
            return std::unexpected(std::move(opened.error()));
        return std::unexpected(
            here(errc::rewound, none ? "events of this segment were read, and its file is gone"
                                     : "events of this segment were read, and its name now "
                                       "belongs to another segment, as after a recovery"));
    }
    // Nothing was read from it: it was only prepared, and another file has its name, or soon will.
    if (none)
        return {};
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    if (before_.known || ordinal == begin_.ordinal) {
        if (auto wrong = misfit(opened->header, before_); !wrong.empty()) {
            return std::unexpected(here(errc::rewound, std::move(wrong)));
        }
    }
    adopt(std::move(*opened), kind::growing);
    return {};
}

// Whether the directory still holds the journal that was opened.
result<void> cursor_state::check_identity() const {
    const auto journal = read_identity(directory_);
    if (journal && id_of(*journal) == id_)
        return {};
    error lost{.code = errc::not_found, .sequence = sequence_, .file = directory_.string()};
    if (journal) {
        lost.detail = "another journal is at this path now";
    } else if (journal.error().code == errc::not_a_journal) {
        lost.detail =
            "the journal that was being read is no longer at this path: it was moved or "
            "removed, or its file system is not mounted";
    } else {
        return std::unexpected(journal.error());
    }
    return std::unexpected(std::move(lost));
}

}  // namespace pawl::detail
