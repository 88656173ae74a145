// How a cursor reads a part of the events, those of one stream or tag. It visits the segments that
// the indexes name, a stream's along the links from index to index, and in each the events that its
// index leads to.
#include "format/segment_walk.hpp"
#include "os/assertion.hpp"
#include "read/cursor_state.hpp"
#include "store/directory.hpp"
#include "store/index_file.hpp"
#include "store/retained.hpp"

#include <algorithm>
#include <utility>

namespace pawl::detail {

result<void> cursor_state::seek_version(stream_version version) {
    if (options_.stream == no_stream_id) {
        return fail(errc::invalid_argument,
                    "from_version needs a stream: set cursor_options::stream");
    }
    first_version_ = std::max<stream_version>(version, 1);
    next_version_ = first_version_;
    return seek_first();
}

error cursor_state::pruned_version(stream_version version) const {
    error gone = before_the_beginning(begin_, directory_, 0);
    gone.stream = options_.stream;
    gone.detail =
        "version " + std::to_string(version) + " of stream " + std::to_string(options_.stream) +
        " was pruned; the journal begins with sequence " + std::to_string(begin_.sequence());
    return gone;
}

// Where no segment that is left holds the stream, only `retained` knows how far it came.
result<void> cursor_state::refuse_pruned_versions() const {
    if (!begin_.is_pruned() || first_version_ == 0 || !route_.stops.empty())
        return {};
    const auto kept = read_retained(directory_, id_);
    if (!kept)
        return std::unexpected(kept.error());
    if (!*kept)
        return {};
    const auto& streams = (*kept)->streams;
    const auto head = std::ranges::lower_bound(streams, options_.stream, {}, &stream_head::stream);
    if (head == streams.end() || head->stream != options_.stream || head->version < first_version_)
        return {};
    return std::unexpected(pruned_version(first_version_));
}

result<void> cursor_state::follow_part() {
    PAWL_ASSERT(placed_ && reads_part());
    note_place();
    auto planned = plan_route({.directory = directory_,
                               .id = id_,
                               .stream = options_.stream,
                               .tag = options_.tag,
                               .begin = begin_,
                               .from_ordinal = ordinal_,
                               .from_version = first_version_});
    if (!planned)
        return std::unexpected(std::move(planned.error()));
    route_ = std::move(*planned);
    if (auto kept = refuse_pruned_versions(); !kept)
        return kept;
    if (!route_.sealed_end.known)
        return {};
    if (!route_.stops.empty() && route_.stops.front() == ordinal_) {
        next_stop_ = 1;
        return plan_links();
    }
    if (!route_.stops.empty())
        return enter_stop(route_.stops[next_stop_++]);
    left_ = route_.sealed_end;
    sequence_ = left_->sequence;
    return {};
}

result<void> cursor_state::enter_stop(std::uint64_t ordinal) {
    auto opened = open_segment(directory_, id_, ordinal);
    if (!opened) {
        if (auto there = refuse_pruned(ordinal); !there)
            return there;
        opened.error().sequence = sequence_;
        return std::unexpected(std::move(opened.error()));
    }
    before_ = {};
    adopt(std::move(*opened), kind::growing);
    sequence_ = load_u64(space_.base + first_frame_offset + frame_offset::sequence);
    return plan_links();
}

result<void> cursor_state::plan_links() {
    PAWL_ASSERT(segment_.has_value());
    if (!sure_)
        note_place();
    if (!believes_indexes_)
        return {};
    auto index = index_file::open(directory_, id_, segment_->header.ordinal);
    if (!index && index.error().code == errc::newer_format)
        return std::unexpected(std::move(index.error()));
    // Without a valid index, the segment is read frame by frame.
    if (!index || !is_of_segment(index->header(), *segment_))
        return {};
    const bool found = options_.tag != 0
                           ? links_.find_tag(*index, space_, options_.tag)
                           : links_.find_stream(*index, space_, options_.stream, first_version_);
    if (found)
        links_.begin(end_of(index->header()), offset_);
    return {};
}

cursor_state::step cursor_state::advance_linked() {
    const auto next = links_.next();
    if (!next) {
        left_ = links_.end();
        sequence_ = left_->sequence;
        links_.leave();
        return step::again;
    }
    const std::uint64_t offset = *next;
    PAWL_ASSERT(offset >= offset_);
    const commit_word word{load_u64(space_.base + offset)};
    const sequence_number sequence = load_u64(space_.base + offset + frame_offset::sequence);
    if (lost_a_page())
        return step::nothing;
    if (options_.show == visibility::durable && !is_durable(sequence))
        return step::nothing;
    if (!view_event(offset, word))
        return step::nothing;
    if (options_.stream != no_stream_id) {
        if (const step checked = check_version(); checked != step::event)
            return checked;
    }
    links_.pass();
    offset_ = offset;
    sequence_ = sequence;
    pass(word);
    note_place();
    return is_admitted() ? step::event : step::again;
}

cursor_state::step cursor_state::take_part(commit_word word) {
    const bool of_stream = options_.stream != no_stream_id;
    const bool wanted =
        of_stream ? event_.stream() == options_.stream && event_.version() >= first_version_
                  : event_.metadata().tags().contains(options_.tag);
    if (of_stream && wanted) {
        if (const step checked = check_version(); checked != step::event)
            return checked;
    }
    pass(word);
    if (!wanted)
        return step::again;
    note_place();
    return is_admitted() ? step::event : step::again;
}

cursor_state::step cursor_state::check_version() {
    const stream_version version = event_.version();
    if (next_version_ == 0 || version == next_version_) {
        next_version_ = version + 1;
        return step::event;
    }
    if (begin_.is_pruned() && next_version_ == first_version_) {
        failure_ = pruned_version(next_version_);
        return step::nothing;
    }
    if (beginning_moved()) {
        // The events between were pruned after the route was planned.
        const auto begin = read_log_begin(directory_, id_);
        failure_ = before_the_beginning(begin ? *begin : begin_, directory_, sequence_);
        return step::nothing;
    }
    if (believes_indexes_)
        return read_without_indexes();
    failure_ = here(errc::damaged, "version " + std::to_string(version) + " of stream " +
                                       std::to_string(options_.stream) + " where " +
                                       std::to_string(next_version_) + " must follow");
    return step::nothing;
}

cursor_state::step cursor_state::read_without_indexes() {
    PAWL_ASSERT(sure_.has_value());
    auto opened = open_segment(directory_, id_, sure_->ordinal);
    if (!opened) {
        opened.error().sequence = sure_->sequence;
        failure_ = std::move(opened.error());
        return step::nothing;
    }
    believes_indexes_ = false;
    route_ = {};
    next_stop_ = 0;
    before_ = {};
    adopt(std::move(*opened), kind::growing);
    offset_ = sure_->offset;
    sequence_ = sure_->sequence;
    records_.drop_records();
    return step::again;
}

}  // namespace pawl::detail
