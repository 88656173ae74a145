// How one segment is verified.
#include "audit/unit_search.hpp"
#include "audit/verifier.hpp"
#include "format/description_frame.hpp"
#include "format/metadata.hpp"
#include "format/name_frame.hpp"
#include "format/segment_walk.hpp"
#include "os/assertion.hpp"
#include "recovery/log_survey.hpp"
#include "recovery/survey_at_rest.hpp"
#include "store/directory.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace pawl::detail {

void verifier::show(const frame_space& space, std::uint64_t ordinal, std::uint64_t offset,
                    commit_word word) {
    PAWL_ASSERT(!is_end(word));
    const std::byte* frame = space.base + offset;
    const std::uint64_t content = content_hash_of(frame, space.epoch, offset);
    if (word.is_system()) {
        if (classify_system(word) == system_class::stream_name)
            names_digest_ += digest_term(content);
        show_record(frame, word);
        return;
    }
    if (!options_.visit)
        return;
    options_.visit(event{frame,
                         {ordinal, offset},
                         content,
                         view_frame(frame, word).metadata_bytes,
                         std::exchange(names_digest_, 0)});
}

void verifier::show_record(const std::byte* frame, commit_word word) {
    PAWL_ASSERT(word.is_system());
    const std::uint64_t timestamp_ns = load_u64(frame + frame_offset::timestamp);
    if (const auto named = read_name(frame, word); named && options_.visit_name)
        options_.visit_name({named->stream, timestamp_ns, std::string{named->name}});
    if (!options_.visit_description || !is_description(word))
        return;
    if (const auto said = read_description(frame, word)) {
        options_.visit_description({said->type,
                                    said->schema_version,
                                    load_u64(frame + frame_offset::sequence),
                                    timestamp_ns,
                                    std::string{said->name},
                                    {said->bytes.begin(), said->bytes.end()}});
    }
}

bool verifier::shows_anything() const noexcept {
    return options_.visit || options_.visit_name || options_.visit_description;
}

walk_end verifier::walk(std::uint64_t ordinal, const frame_space& space, const walk_start& from) {
    if (!streams_ && !shows_anything())
        return walk_segment(space, from, [](std::uint64_t, commit_word) {});
    return walk_segment(space, from, [&](std::uint64_t offset, commit_word word) {
        if (streams_)
            streams_->add(space, offset, word);
        if (shows_anything())
            show(space, ordinal, offset, word);
    });
}

void verifier::check_segment(std::uint64_t ordinal) {
    auto opened = open_segment(directory_, id_, ordinal);
    if (!opened && opened.error().code == errc::missing_segment) {
        list_again_from(ordinal);
        return;
    }
    if (!opened) {
        opened.error().sequence = sequence_;
        find(std::move(opened.error()));
        read_shortened(ordinal);
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
            sequence_known_ = false;  // what it holds has the sequences of another history
        }
    }
    check_frames(ordinal, *opened, data, index);
}

void verifier::check_header_padding(std::uint64_t ordinal, const frame_space& space) {
    PAWL_ASSERT(space.bytes >= first_frame_offset);
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

std::optional<segment_index> verifier::index_of(std::uint64_t ordinal, std::uint64_t epoch,
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

void verifier::find_in_index(std::uint64_t ordinal, std::string detail) {
    error wrong = at(ordinal, 0, errc::damaged, std::move(detail));
    wrong.file = index_path(directory_, ordinal).string();
    find(std::move(wrong), false);
}

void verifier::check_frames(std::uint64_t ordinal, const read_segment& segment,
                            const data_ranges& data, const std::optional<segment_index>& index) {
    const frame_space space = segment.space();
    find_first_sequence(space, index);
    check_links(ordinal, index);
    if (streams_)
        streams_->begin_segment(ordinal);
    const walk_end end = walk_to_end(ordinal, segment, index.has_value());
    if (again_from_)
        return;
    PAWL_ASSERT(end.sequence >= sequence_);
    note_run(end);
    seen_first_ = true;
    if (auto whole = segment.bytes.whole(); !whole) {
        // A segment that cannot be read is neither torn nor damaged.
        find(std::move(whole.error()));
        sequence_ = end.sequence;
        read_past(ordinal, segment, end, index.has_value());
        end_as(ordinal, index);
        return;
    }
    if (!end.ended()) {
        sequence_ = end.sequence;
        note_hole(ordinal, end, index);
        if (end.fault == frame_fault::newer)
            lose_segment(ordinal);
        else if (!torn_)
            read_past(ordinal, segment, end, index.has_value());
        end_as(ordinal, index);
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

void verifier::find_first_sequence(const frame_space& space,
                                   const std::optional<segment_index>& index) {
    if (sequence_known_)
        return;
    if (index) {
        sequence_ = index->header.first_sequence;
        sequence_known_ = true;
        return;
    }
    const std::byte* frame = space.base + first_frame_offset;
    const commit_word word{load_commit(frame)};
    if (check_frame(space, first_frame_offset, word) == frame_fault::none) {
        sequence_ = load_u64(frame + frame_offset::sequence);
        sequence_known_ = true;
    }
}

void verifier::note_run(const walk_end& walked) {
    PAWL_ASSERT(walked.sequence - walked.first_sequence == walked.events);
    report_.events += walked.events;
    if (walked.events == 0)
        return;
    auto& runs = report_.runs;
    if (!runs.empty() && runs.back().end == walked.first_sequence)
        runs.back().end = walked.sequence;
    else
        runs.push_back({walked.first_sequence, walked.sequence});
}

void verifier::read_shortened(std::uint64_t ordinal) {
    if (streams_)
        streams_->begin_segment(ordinal);
    const auto segment = open_shortened_segment(directory_, id_, ordinal);
    if (!segment || torn_) {
        lose_segment(ordinal);
        return;
    }
    report_gap();
    const auto index =
        index_of(ordinal, segment->header.epoch, read_index(directory_, id_, ordinal));
    find_first_sequence(segment->space(), index);
    const walk_end end = walk(ordinal, segment->space(), {.sequence = sequence_});
    note_run(end);
    sequence_ = end.sequence;
    read_past(ordinal, *segment, end, false);
    end_as(ordinal, index);
}

void verifier::read_past(std::uint64_t ordinal, const read_segment& segment, walk_end hole,
                         bool sealed) {
    const frame_space space = segment.space();
    const data_ranges data = segment.data();
    unit_search search{space, data, sequence_known_};
    lose_segment(ordinal);
    for (auto next = search.after(hole); next;) {
        const walk_end end = walk(ordinal, space, *next);
        note_run(end);
        sequence_ = end.sequence;
        if (end.ended()) {
            before_ = end_of(segment.header, end);
            sequence_known_ = true;
            break;
        }
        next = search.after(end);
        // Pages that could not be read are zero here, and have been reported.
        if ((next || sealed) && !segment.bytes.faulted())
            find(at(ordinal, end.offset, code_of(end.fault), std::string{to_string(end.fault)}));
        if (streams_)
            streams_->lose_track();
    }
}

void verifier::end_as(std::uint64_t ordinal, const std::optional<segment_index>& index) {
    check_versions(ordinal, nullptr);
    if (!index)
        return;
    before_ = end_of(index->header);
    sequence_ = index->header.end_sequence;
    sequence_known_ = true;
}

walk_end verifier::walk_to_end(std::uint64_t ordinal, const read_segment& segment, bool sealed) {
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

bool verifier::same(segment_index built, const segment_index& read) {
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
           equal(built.types, read.types) && equal(built.commands, read.commands) &&
           equal(built.tags, read.tags) && equal(built.postings, read.postings);
}

void verifier::check_links(std::uint64_t ordinal, const std::optional<segment_index>& index) {
    if (!streams_ || !index)
        return;
    if (const auto fault = streams_->check_links(*index))
        find_in_index(ordinal, fault->text());
}

void verifier::note_hole(std::uint64_t ordinal, const walk_end& end,
                         const std::optional<segment_index>& index) {
    PAWL_ASSERT(!end.ended());
    if (index) {
        find(at(
            ordinal, end.offset, code_of(end.fault),
            std::string{to_string(end.fault)} + "; an index proves that the segment was complete"));
        return;
    }
    if (end.fault == frame_fault::newer) {
        find(at(ordinal, end.offset, errc::newer_format, std::string{to_string(end.fault)}));
        return;
    }
    if (tail_.damage) {
        find(std::move(*tail_.damage));
        return;
    }
    torn_ = true;
    if (!tail_.torn)
        return;
    report_.end = end_of_journal::torn;
    report_.torn_bytes = tail_.torn_bytes;
}

void verifier::check_versions(std::uint64_t ordinal, const error* found_already) {
    if (!streams_ || !streams_->fault())
        return;
    const stream_fault& fault = *streams_->fault();
    if (found_already != nullptr && found_already->offset == fault.offset)
        return;
    error wrong = at(ordinal, fault.offset, errc::damaged, fault.text());
    wrong.sequence = fault.sequence;
    find(std::move(wrong));
}

}  // namespace pawl::detail
