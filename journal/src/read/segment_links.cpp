#include "read/segment_links.hpp"

#include "store/tag_index.hpp"

#include <algorithm>
#include <utility>

namespace pawl::detail {

bool segment_links::find_stream(index_file& index, const frame_space& space, stream_id stream,
                                stream_version from) {
    offsets_.clear();
    const auto last = index.find_stream(stream);
    if (!last)
        return false;
    if (!*last)
        return true;
    // Backwards, along the frames' links.
    std::uint64_t offset = (*last)->last_offset();
    for (stream_version version = (*last)->version;; --version) {
        if (!has_room_for_header(space, offset))
            return false;
        const std::byte* frame = space.base + offset;
        const commit_word word{load_commit(frame)};
        if (check_frame(space, offset, word) != frame_fault::none || !is_understood(word) ||
            word.is_system() || load_u64(frame + frame_offset::stream) != stream ||
            load_u64(frame + frame_offset::version) != version)
            return false;
        if (version < from)
            break;
        offsets_.push_back(offset);
        if (version == from)
            break;
        const std::uint64_t back =
            std::uint64_t{load_u32(frame + frame_offset::back)} * frame_alignment;
        if (back == 0)
            break;
        if (back > offset - first_frame_offset)
            return false;
        offset -= back;
    }
    std::ranges::reverse(offsets_);
    return true;
}

bool segment_links::find_tag(index_file& index, const frame_space& space, tag_id tag) {
    auto found = listed_with_tag(index, space, tag);
    if (!found)
        return false;
    offsets_ = std::move(*found);
    return true;
}

void segment_links::begin(const segment_end& end, std::uint64_t offset) noexcept {
    active_ = true;
    end_ = end;
    const auto at = std::ranges::lower_bound(offsets_, offset);
    next_ = static_cast<std::size_t>(at - offsets_.begin());
}

}  // namespace pawl::detail
