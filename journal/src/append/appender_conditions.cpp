// Conditions on streams besides the event's own. One thread appends, so what holds here still holds
// when the event is published; nothing has been written yet.
#include "append/appender.hpp"
#include "append/appender_frames.hpp"
#include "os/assertion.hpp"

#include <algorithm>

namespace pawl::detail {

result<stream_version> appender::published_version(stream_id stream) const noexcept {
    PAWL_ASSERT(stream != no_stream_id);
    const stream_head* head = table_.find(stream);
    if (head == nullptr) {
        stream_head known{};
        const head_lookup found = beneath_.find_stream(stream, known);
        if (found == head_lookup::unreadable)
            return std::unexpected(cannot_look_up(stream));
        return found == head_lookup::present ? known.version : 0;
    }
    // Only a stream whose last event lies in the open batch has another version there.
    const log_position last = unpack_position(head->last);
    const bool written = batch_.open && head->version != 0 && last.ordinal == ordinal_ &&
                         last.offset >= batch_.begin;
    if (!written)
        return head->version;
    // The first of the stream's entries holds what was there before the batch.
    const auto first = std::ranges::find(undo_, stream, &undo_entry::stream);
    PAWL_ASSERT(first != undo_.end());
    return first == undo_.end() ? head->version : first->version;
}

std::optional<error> appender::unmet_condition(const event_header& header) const noexcept {
    for (const stream_condition& condition : header.conditions) {
        const auto impossible = [&](std::string_view why) {
            return error{.code = errc::invalid_argument, .stream = condition.stream, .reason = why};
        };
        if (condition.stream == no_stream_id)
            return impossible("a condition needs a stream, and stream 0 means no stream");
        if (lacks_its_name(condition.stream))
            return impossible(
                "a condition's stream is in the range of named streams, but no name "
                "has this number");
        const auto actual = published_version(condition.stream);
        if (!actual)
            return actual.error();
        if (!condition.expected.admits(*actual))
            return conflict_with(condition.stream, condition.expected, *actual,
                                 "one of event_header::conditions does not hold");
    }
    return std::nullopt;
}

}  // namespace pawl::detail
