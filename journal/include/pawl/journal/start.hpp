// Where a cursor begins: `pawl::cursor::open("orders", {.from = pawl::from_time{.ns =
// ten_to_two}})`.
#pragma once

#include <pawl/journal/types.hpp>

#include <cstdint>
#include <variant>

namespace pawl {

// The event with which a cursor starts.
struct from_first {};  // the first event still in the journal
struct from_end {};    // the first event published after opening
struct from_sequence {
    sequence_number sequence = 0;
};  // not_found if it was pruned or lies beyond the end
// The event after that point; diverged if the point is not in this journal. `taken_in` is the
// journal that the point was taken in: there the frame hash must match, in any other journal of the
// same origin the content hash. Zero means this journal or, if this is a copy, any journal of the
// same origin.
struct from_point {
    log_point point{};
    journal_id taken_in{};
};
// The event at a place that a receipt or writer::last_position named. not_found if no event begins
// there; with a `point` (next != 0) the event must be the last that the point has taken, otherwise
// diverged. Cost: opening one segment; for an event that is neither in a sealed segment nor
// durable also reading its segment up to it.
struct from_position {
    log_position position{};
    log_point point{};
};
// The first event whose time stamp, in nanoseconds since the Unix epoch, is not before `ns`; the
// end of the log if there is none yet. Time stamps need not ascend: events after it may have
// earlier ones. With cursor_options::stream: that stream's events from there on. Cost: the header
// of each index up to there, opening the segment there and those that follow a close or a cut, and
// reading the distance of two marks, or the segment if it is not sealed.
struct from_time {
    std::uint64_t ns = 0;
};
// Only with cursor_options::stream: the stream's event with this version. Waits for it if it is
// not there yet. Cost: the segments that hold the stream from this version on.
struct from_version {
    stream_version version = 0;
};
using start = std::variant<from_first, from_end, from_sequence, from_point, from_position,
                           from_version, from_time>;

}  // namespace pawl
