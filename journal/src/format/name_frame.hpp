// The system frame that gives a stream its name.
#pragma once

#include "format/frame_check.hpp"

#include <pawl/journal/types.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace pawl::detail {

struct named_stream {
    stream_id stream = no_stream_id;
    std::string_view name;  // points into the segment
};

// The contents of a name frame; nullopt if the frame is of another type. `frame` has been checked.
[[nodiscard]] inline std::optional<named_stream> read_name(const std::byte* frame,
                                                           commit_word word) noexcept {
    if (!word.is_system() || classify_system(word) != system_class::stream_name)
        return std::nullopt;
    return named_stream{load_u64(frame + frame_offset::stream),
                        {reinterpret_cast<const char*>(frame + frame_header_bytes),
                         word.frame_bytes() - frame_header_bytes}};
}

// The name frame at an offset from an index, which nothing has checked yet: it may lie past the end
// of the segment. nullopt if there is no whole name frame.
[[nodiscard]] inline std::optional<named_stream> name_at(const frame_space& space,
                                                         std::uint64_t offset) noexcept {
    if (offset % frame_alignment != 0 || !has_room_for_header(space, offset))
        return std::nullopt;
    const std::byte* frame = space.base + offset;
    const commit_word word{load_commit(frame)};
    if (check_frame(space, offset, word) != frame_fault::none)
        return std::nullopt;
    return read_name(frame, word);
}

}  // namespace pawl::detail
