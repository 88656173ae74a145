// How the writer reads back, in place, what it has appended.
#include "append/appender.hpp"
#include "append/appender_frames.hpp"
#include "os/assertion.hpp"

#include <utility>

namespace pawl::detail {

result<std::vector<std::uint64_t>> appender::recent_events(stream_id stream,
                                                           stream_version after) const {
    if (busy_)
        return refused();
    std::vector<std::uint64_t> offsets;
    // A stream that has no entry has no event in the newest segment.
    const stream_head* head = table_.find(stream);
    if (head == nullptr || head->version <= after)
        return offsets;
    const log_position last = unpack_position(head->last);
    if (last.ordinal != ordinal_)
        return offsets;
    std::uint64_t offset = last.offset;
    PAWL_ASSERT(offset >= first_frame_offset && offset < position_);
    for (;;) {
        offsets.push_back(offset);
        const std::byte* frame = base_ + offset;
        const std::uint64_t back =
            std::uint64_t{load_u32(frame + frame_offset::back)} * frame_alignment;
        if (back == 0 || load_u64(frame + frame_offset::version) == after + 1)
            return offsets;
        if (back > offset - first_frame_offset)
            return std::unexpected(error{.code = errc::damaged,
                                         .offset = offset,
                                         .stream = stream,
                                         .file = segment_->bytes.path().string(),
                                         .detail = "link out of range"});
        offset -= back;
    }
}

}  // namespace pawl::detail
