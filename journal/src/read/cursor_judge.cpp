// How a cursor tells the end of a journal from damage, and notices that the log was cut below it.
#include "read/cursor_state.hpp"
#include "store/directory.hpp"
#include "store/writer_lock.hpp"

#include <algorithm>
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
    if (linked_)
        return end_of_journal::open;
    if (load_commit(space_.base + offset_) != 0)
        return end_of_journal::open;
    return judge_hole(frame_fault::absent);
}

// The log ends without a hole, unless the control file proves that more was durable. A writer makes
// the next segment before it stores a watermark beyond this one, so look for the segment last.
result<end_of_journal> cursor_state::judge_missing(end_of_journal seen) {
    const segment_end end = left_.value_or(segment_end{});
    const sequence_number durable = control_ ? control_->stored_watermark() : 0;
    if (durable <= end.sequence)
        return seen;
    const std::uint64_t ordinal = segment_ ? segment_->header.ordinal + 1 : 0;
    auto successor = open_segment(directory_, id_, ordinal);
    if (successor && misfit(successor->header, end).empty())
        return end_of_journal::open;
    if (!successor && successor.error().code != errc::missing_segment)
        return std::unexpected(std::move(successor.error()));
    return std::unexpected(error{.code = errc::missing_segment,
                                 .sequence = end.sequence,
                                 .file = segment_path(directory_, ordinal).string(),
                                 .detail = "the control file says that sequence " +
                                           std::to_string(durable) + " was durable"});
}

// A frame is missing or wrong at the place at hand.
result<end_of_journal> cursor_state::judge_hole(frame_fault fault) {
    const auto damaged = [&](const std::string& proof) {
        return std::unexpected(here(errc::damaged, std::string{to_string(fault)} + "; " + proof));
    };
    const auto index = read_index_header(directory_, id_, segment_->header.ordinal);
    if (index && index->epoch == segment_->header.epoch) {
        return damaged("an index says that the segment is complete");
    }
    if (fault == frame_fault::absent) {
        const auto live = writer_lock::is_held(directory_);
        if (live && *live)
            return judge_live_tail();
    }
    survey_request request{.directory = directory_, .id = id_};
    if (control_) {
        request.stored_watermark = control_->stored_watermark();
        request.published = control_->published();
    }
    auto surveyed = survey_log(request);
    if (!surveyed)
        return std::unexpected(std::move(surveyed.error()));
    const bool same_place =
        surveyed->hole && surveyed->hole->sequence == sequence_ &&
        surveyed->segments[surveyed->hole->segment].ordinal == segment_->header.ordinal;
    if (same_place)
        return end_of_journal::torn;
    // A writer came in the meantime and wrote on, or cut here.
    return end_of_journal::open;
}

// The tail of a journal that is being written: nothing may be there that proves it should be
// further.
result<end_of_journal> cursor_state::judge_live_tail() {
    const bool durable_beyond = control_ && control_->durable().value_or(0) > sequence_;
    bool written_beyond = false;
    if (!durable_beyond) {
        const auto successor = open_segment(directory_, id_, segment_->header.ordinal + 1);
        written_beyond =
            successor && load_commit(successor->bytes.data() + first_frame_offset) != 0;
    }
    if (!durable_beyond && !written_beyond)
        return end_of_journal::open;
    // Whatever proves it was stored after the frame at hand: it must be visible by now.
    if (load_commit(space_.base + offset_) != 0)
        return end_of_journal::open;
    return std::unexpected(
        here(errc::damaged, "no frame where one must be; the writer is further"));
}

result<void> cursor_state::revalidate() {
    if (!segment_ || left_ || linked_)
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
    const std::uint64_t ordinal = segment_->header.ordinal;
    const auto named = directory_handle{directory_}.identity_of(segment_name(ordinal));
    if (named && *named == segment_->which)
        return {};
    if (offset_ != first_frame_offset) {
        return std::unexpected(
            here(errc::rewound, "a recovery took away the segment that was being read"));
    }
    // Nothing was read from it: it was only prepared, and another file has its name, or will have.
    if (!named)
        return {};
    auto opened = open_segment(directory_, id_, ordinal);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    if (before_.known || ordinal == 0) {
        if (auto wrong = misfit(opened->header, before_); !wrong.empty()) {
            return std::unexpected(here(errc::rewound, std::move(wrong)));
        }
    }
    adopt(std::move(*opened), kind::growing);
    return {};
}

}  // namespace pawl::detail
