#include "recovery/log_survey.hpp"

#include "os/assertion.hpp"
#include "recovery/witness_search.hpp"
#include "store/directory.hpp"
#include "store/segment_file.hpp"

#include <algorithm>
#include <utility>

namespace pawl::detail {

segment_end end_of(const index_header& index) noexcept {
    return {.known = true,
            .type = static_cast<system_type>(index.end_type),
            .epoch = index.epoch,
            .offset = index.end_offset,
            .hash = index.end_hash,
            .successor_epoch = index.successor_epoch,
            .sequence = index.end_sequence,
            .ordinal = index.ordinal};
}

segment_end end_of(const segment_header& header, const walk_end& walk) noexcept {
    PAWL_ASSERT(walk.ended() && header.epoch != 0);
    return {.known = true,
            .type = walk.end_type,
            .epoch = header.epoch,
            .offset = walk.offset,
            .hash = walk.end_hash,
            .successor_epoch = walk.end.successor_epoch,
            .sequence = walk.sequence,
            .ordinal = header.ordinal};
}

std::string misfit(const segment_header& header, const segment_end& before) {
    if (!before.known) {
        return header.predecessor_epoch == 0 ? ""
                                             : "the segment names a predecessor that is not there";
    }
    if (before.type == system_type::rolled) {
        return header.epoch == before.successor_epoch
                   ? ""
                   : "not the segment that its predecessor rolled over to";
    }
    const bool names_it = header.predecessor_epoch == before.epoch &&
                          header.predecessor_end_offset == before.offset &&
                          header.start_sequence == before.sequence &&
                          (header.predecessor_end_hash == before.hash ||
                           (before.type == system_type::cut && header.predecessor_end_hash == 0));
    return names_it ? "" : "the segment does not name its predecessor's end";
}

namespace {

// A file that was copied before a later one was written proves less than that one claims. Nothing
// in the files tells such a copy from damage, so the message names both.
constexpr std::string_view looks_copied =
    "; a directory that was copied file by file while a writer had it open looks like this: copy "
    "it again once the writer has closed, or from a snapshot of the file system";
constexpr std::string_view control_is_newer =
    "; or, in the copy only, delete `control` and run `pawl recover`, which gives up the events "
    "from here on";

class surveyor {
  public:
    explicit surveyor(const survey_request& request) : request_{request} {}

    [[nodiscard]] result<log_survey> run() {
        auto listed = list();
        if (!listed)
            return std::unexpected(std::move(listed.error()));
        if (auto all_there = find_first_to_read(); !all_there)
            return std::unexpected(std::move(all_there.error()));
        survey_.blank_from = survey_.segments.size();
        PAWL_ASSERT(survey_.first_read <= survey_.segments.size());
        for (std::size_t i = survey_.first_read; i < survey_.segments.size(); ++i) {
            auto more = read(i);
            if (!more)
                return std::unexpected(std::move(more.error()));
            if (!*more)
                break;
        }
        if (auto judged = judge(); !judged)
            return std::unexpected(std::move(judged.error()));
        PAWL_ASSERT(survey_.blank_from <= survey_.segments.size());
        PAWL_ASSERT(survey_.durable <= survey_.next_sequence);
        PAWL_ASSERT(!survey_.hole || survey_.hole->sequence == survey_.next_sequence);
        return survey_;
    }

    // Whether the files are those that run() saw: the same names, the same epochs, and the hole, if
    // there was one, still a hole.
    [[nodiscard]] bool nothing_changed() const {
        const auto begin = read_log_begin(request_.directory, request_.id);
        if (!begin || begin->ordinal != survey_.begin.ordinal)
            return false;
        const auto ordinals = list_log(request_.directory, *begin);
        if (!ordinals ||
            !std::ranges::equal(*ordinals, survey_.segments, {}, {}, &surveyed_segment::ordinal)) {
            return false;
        }
        if (absent_ && open_segment(request_.directory, request_.id, *absent_))
            return false;
        for (std::size_t i = 0; i < survey_.segments.size(); ++i) {
            if (survey_.segments[i].header.epoch != 0 && !is_same(i))
                return false;
        }
        return true;
    }

  private:
    [[nodiscard]] bool is_same(std::size_t i) const {
        const surveyed_segment& segment = survey_.segments[i];
        const auto now = open_segment(request_.directory, request_.id, segment.ordinal);
        if (!now || now->header.epoch != segment.header.epoch)
            return false;
        if (!survey_.hole || survey_.hole->segment != i)
            return true;
        return check_unit(now->space(), survey_.hole->offset, survey_.hole->sequence).fault !=
               frame_fault::none;
    }

    [[nodiscard]] result<void> list() {
        auto begin = read_log_begin(request_.directory, request_.id);
        if (!begin)
            return std::unexpected(std::move(begin.error()));
        auto ordinals = list_segments(request_.directory);
        if (!ordinals)
            return std::unexpected(std::move(ordinals.error()));
        survey_.below_beginning = std::erase_if(
            *ordinals, [&](std::uint64_t ordinal) { return ordinal < begin->ordinal; });
        survey_.begin = *begin;
        survey_.end = begin->before;
        survey_.next_sequence = begin->sequence();
        for (const std::uint64_t ordinal : *ordinals) {
            surveyed_segment segment{.ordinal = ordinal};
            auto index = read_index_header(request_.directory, request_.id, ordinal);
            if (index) {
                segment.sealed = true;
                segment.index = *index;
            } else if (index.error().code == errc::newer_format) {
                return std::unexpected(std::move(index.error()));
            }
            survey_.segments.push_back(std::move(segment));
        }
        survey_.durable = request_.stored_watermark;
        return {};
    }

    // A sealed segment was synced to its end, and so was everything before it: reading begins after
    // the last one. Segments that are not read must at least exist.
    [[nodiscard]] result<void> find_first_to_read() {
        const auto& segments = survey_.segments;
        if (request_.verify == verify_at_open::all)
            return {};
        for (std::size_t i = segments.size(); i > 0; --i) {
            if (!segments[i - 1].sealed || !ends_as_index_says(segments[i - 1]))
                continue;
            survey_.first_read = i;
            survey_.end = end_of(segments[i - 1].index);
            survey_.next_sequence = survey_.end.sequence;
            survey_.durable = std::max(survey_.durable, survey_.end.sequence);
            return see_all_before(i);
        }
        return {};
    }

    // Every segment before the first `trusted` is there, and continues the one before it. If copies
    // of a journal were written on two machines and then mixed, each segment is whole, and the log
    // is not.
    [[nodiscard]] result<void> see_all_before(std::size_t trusted) {
        PAWL_ASSERT(trusted <= survey_.segments.size());
        segment_end before = survey_.begin.before;
        for (std::size_t i = 0; i < trusted; ++i) {
            const surveyed_segment& segment = survey_.segments[i];
            const std::uint64_t wanted = survey_.begin.ordinal + i;
            if (segment.ordinal != wanted) {
                return std::unexpected(
                    missing(wanted, "the segment does not exist, but later ones do"));
            }
            const auto header = check_segment_header(request_.directory, request_.id, wanted);
            if (!header)
                return std::unexpected(header.error());
            if (before.known || i == 0) {
                if (auto wrong = misfit(*header, before); !wrong.empty())
                    return std::unexpected(at_segment(i, errc::damaged, std::move(wrong)));
            }
            const bool ends = segment.sealed && segment.index.epoch == header->epoch;
            before = ends ? end_of(segment.index) : segment_end{};
        }
        return {};
    }

    // An index that was left beside another copy of its segment would make the next writer continue
    // after a gap. Such a segment is read as if it were not sealed.
    [[nodiscard]] bool ends_as_index_says(const surveyed_segment& segment) const {
        const auto opened = open_segment(request_.directory, request_.id, segment.ordinal);
        return opened && is_of_segment(segment.index, *opened) && opened->bytes.whole();
    }

    [[nodiscard]] error at_segment(std::size_t i, errc code, std::string detail) const {
        return error{
            .code = code,
            .offset = 0,
            .sequence = survey_.next_sequence,
            .file = request_.directory.path_of(segment_name(survey_.segments[i].ordinal)).string(),
            .detail = std::move(detail)};
    }

    [[nodiscard]] error missing(std::uint64_t ordinal, std::string detail) const {
        return error{.code = errc::missing_segment,
                     .sequence = survey_.next_sequence,
                     .file = request_.directory.path_of(segment_name(ordinal)).string(),
                     .detail = std::move(detail)};
    }

    // Reads segment i, in order; false if nothing after it is to be read.
    [[nodiscard]] result<bool> read(std::size_t i) {
        PAWL_ASSERT(i < survey_.segments.size() && !survey_.hole);
        surveyed_segment& segment = survey_.segments[i];
        const std::uint64_t expected =
            i == 0 ? survey_.begin.ordinal : survey_.segments[i - 1].ordinal + 1;
        auto opened = open_segment(request_.directory, request_.id, segment.ordinal);
        if (!opened) {
            if (opened.error().code == errc::missing_segment)
                absent_ = segment.ordinal;
            opened.error().sequence = survey_.next_sequence;
            return std::unexpected(std::move(opened.error()));
        }
        segment.header = opened->header;
        segment.header_note = opened->header_note;
        const frame_space space = opened->space();
        const auto& before = survey_.end;
        // A close unlinks segments that were prepared and not used, but the unlinks may reach the
        // disk in any order.
        const bool may_be_spare = segment.header.predecessor_epoch == 0 && !segment.sealed &&
                                  before.known && before.type == system_type::closed;
        if (may_be_spare &&
            first_nonzero(space, opened->data(), first_frame_offset) == space.bytes) {
            return only_blank_from(i);
        }
        if (segment.ordinal != expected) {
            absent_ = expected;
            return std::unexpected(missing(expected, "the segment does not exist"));
        }
        if (auto wrong = misfit(segment.header, before); !wrong.empty()) {
            return std::unexpected(at_segment(i, errc::damaged, std::move(wrong)));
        }
        return walk(i, *opened);
    }

    [[nodiscard]] result<bool> walk(std::size_t i, const read_segment& opened) {
        const frame_space space = opened.space();
        surveyed_segment& segment = survey_.segments[i];
        const walk_start from{.sequence = survey_.next_sequence};
        const walk_end end = walk_segment(space, from, [](std::uint64_t, commit_word) {});
        // A page that cannot be read is not a torn tail.
        if (auto whole = opened.bytes.whole(); !whole)
            return std::unexpected(std::move(whole.error()));
        PAWL_ASSERT(end.sequence >= from.sequence && end.offset >= from.offset);
        PAWL_ASSERT(end.durable <= end.sequence);
        segment.read = true;
        segment.walk = end;
        survey_.bytes_read += end.offset;
        survey_.next_sequence = end.sequence;
        survey_.durable = std::max(survey_.durable, end.durable);
        survey_.seen = std::max(survey_.seen, end.sequence);
        // Cutting here would lose what a newer program wrote, and the proof that it was durable.
        if (end.fault == frame_fault::newer) {
            error newer = at_segment(i, errc::newer_format, std::string{to_string(end.fault)});
            newer.offset = end.offset;
            newer.sequence = end.sequence;
            return std::unexpected(std::move(newer));
        }
        if (!end.ended()) {
            survey_.hole = log_hole{i, end.offset, end.sequence, end.fault};
            return false;
        }
        survey_.end = end_of(segment.header, end);
        if (segment.sealed)
            return check_seal(i, space, opened.data());
        return true;
    }

    // A sealed segment holds what its index says, and nothing after a clean end.
    [[nodiscard]] result<bool> check_seal(std::size_t i, const frame_space& space,
                                          const data_ranges& data) {
        const surveyed_segment& segment = survey_.segments[i];
        const walk_end& end = segment.walk;
        PAWL_ASSERT(segment.read && end.ended());
        if (segment.index.epoch != segment.header.epoch || segment.index.end_offset != end.offset ||
            segment.index.end_hash != end.end_hash) {
            // The log decides; what is derived from it is created again.
            survey_.segments[i].sealed = false;
            return true;
        }
        if (end.end_type == system_type::cut)
            return true;
        const auto behind = first_nonzero(space, data, end.offset + end_frame_bytes);
        if (behind == space.bytes)
            return true;
        error wrong = at_segment(i, errc::damaged, std::string{to_string(frame_fault::behind_end)});
        wrong.offset = behind;
        return std::unexpected(std::move(wrong));
    }

    // Segment i was prepared and never used; so must be all after it.
    [[nodiscard]] result<bool> only_blank_from(std::size_t i) {
        survey_.blank_from = i;
        for (std::size_t later = i + 1; later < survey_.segments.size(); ++later) {
            auto opened =
                open_segment(request_.directory, request_.id, survey_.segments[later].ordinal);
            if (!opened)
                return std::unexpected(std::move(opened.error()));
            survey_.segments[later].header = opened->header;
            const frame_space space = opened->space();
            if (first_nonzero(space, opened->data(), first_frame_offset) != space.bytes) {
                return std::unexpected(missing(survey_.segments[i].ordinal,
                                               "the segment is empty and a later one is not"));
            }
        }
        return false;
    }

    // Torn tail or damage?
    [[nodiscard]] result<void> judge() {
        if (survey_.hole)
            return judge_hole();
        // A prune keeps at least one segment.
        if (survey_.begin.is_pruned() && survey_.blank_from == 0) {
            absent_ = survey_.begin.ordinal;
            return std::unexpected(missing(survey_.begin.ordinal,
                                           "the journal was pruned up to it, and it is not there"));
        }
        const bool more_expected = survey_.end.known && survey_.end.type != system_type::closed &&
                                   survey_.blank_from == survey_.segments.size();
        const std::uint64_t next_ordinal =
            survey_.segments.empty() ? survey_.begin.ordinal : survey_.segments.back().ordinal + 1;
        if (more_expected || survey_.durable > survey_.next_sequence)
            absent_ = next_ordinal;
        if (more_expected) {
            return std::unexpected(missing(
                next_ordinal, "its predecessor's end frame says that it exists" + copied(false)));
        }
        if (survey_.durable > survey_.next_sequence) {
            return std::unexpected(
                missing(next_ordinal, "the control file proves that all events below sequence " +
                                          std::to_string(survey_.durable) + " were durable" +
                                          copied(true)));
        }
        return {};
    }

    [[nodiscard]] static std::string copied(bool control_proves) {
        std::string hint{looks_copied};
        if (control_proves)
            hint += control_is_newer;
        return hint;
    }

    [[nodiscard]] result<void> judge_hole() {
        const log_hole& hole = *survey_.hole;
        const auto damage = [&](const std::string& proof) {
            const bool is_unwritten = hole.fault == frame_fault::absent;
            error found = at_segment(hole.segment, errc::damaged,
                                     std::string{to_string(hole.fault)} + "; " + proof);
            if (is_unwritten)
                found.detail += copied(request_.stored_watermark > hole.sequence);
            found.offset = hole.offset;
            found.sequence = hole.sequence;
            return std::unexpected(std::move(found));
        };
        if (request_.stored_watermark > hole.sequence) {
            return damage("the control file proves that all events below sequence " +
                          std::to_string(request_.stored_watermark) + " were durable");
        }
        if (survey_.durable > hole.sequence) {
            return damage("an earlier frame proves that all events below sequence " +
                          std::to_string(survey_.durable) + " were durable");
        }
        const auto& segments = survey_.segments;
        // The cut stores an end frame at the hole. A writer always keeps room for one.
        PAWL_ASSERT(segments[hole.segment].read);
        PAWL_ASSERT(hole.offset >= first_frame_offset && hole.offset % frame_alignment == 0);
        if (hole.offset > segments[hole.segment].header.segment_bytes - end_frame_bytes)
            return damage("the frames before it leave no room for the segment's end");
        for (std::size_t i = hole.segment; i < segments.size(); ++i) {
            if (segments[i].sealed)
                return damage("an index proves that the segment was complete");
        }
        std::uint64_t bytes_behind = 0;
        for (std::size_t i = hole.segment; i < segments.size(); ++i) {
            bytes_behind += segments[i].header.segment_bytes;
        }
        PAWL_ASSERT(hole.segment < segments.size());
        witness_search search{hole.sequence, bytes_behind};
        survey_.blank_from = segments.size();
        for (std::size_t i = hole.segment; i < segments.size(); ++i) {
            auto opened = open_segment(request_.directory, request_.id, segments[i].ordinal);
            if (!opened) {
                if (opened.error().code == errc::missing_segment)
                    absent_ = segments[i].ordinal;
                return std::unexpected(std::move(opened.error()));
            }
            survey_.segments[i].header = opened->header;
            const frame_space space = opened->space();
            const std::uint64_t from = i == hole.segment ? hole.offset : first_frame_offset;
            const data_ranges data = opened->data();
            const std::uint64_t nonzero = last_nonzero(space, data, from);
            PAWL_ASSERT(nonzero >= from);
            survey_.torn_bytes += nonzero - from;
            if (nonzero == from && i != hole.segment) {
                survey_.blank_from = std::min(survey_.blank_from, i);
            } else if (i != hole.segment) {
                survey_.blank_from = segments.size();
            }
            if (search.search(space, data, from))
                return damage(search.reason());
            if (auto whole = opened->bytes.whole(); !whole)
                return whole;
            survey_.bytes_read += space.bytes - from;
        }
        PAWL_ASSERT(survey_.blank_from > hole.segment);
        survey_.seen = std::max({survey_.seen, search.seen(), request_.published});
        return {};
    }

    survey_request request_;
    log_survey survey_;
    std::optional<std::uint64_t> absent_;  // the segment that the error says is missing
};

}  // namespace

result<log_survey> survey_log(const survey_request& request) {
    return surveyor{request}.run();
}

result<std::optional<log_survey>> survey_without_lock(const survey_request& request) {
    surveyor reader{request};
    auto surveyed = reader.run();
    if (!reader.nothing_changed())
        return std::nullopt;
    return surveyed;
}

}  // namespace pawl::detail
