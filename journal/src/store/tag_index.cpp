#include "store/tag_index.hpp"

#include "store/segment_index.hpp"

#include <algorithm>
#include <utility>

namespace pawl::detail {

std::optional<std::vector<std::uint64_t>> listed_with_tag(index_file& index,
                                                          const frame_space& space, tag_id tag) {
    auto offsets = index.find_tag(tag);
    if (!offsets || !std::ranges::all_of(*offsets, [&](std::uint64_t offset) {
            return names_tag(space, offset, tag);
        }))
        return std::nullopt;
    return std::move(*offsets);
}

result<std::vector<std::uint64_t>> find_tagged(const read_segment& segment,
                                               const directory_handle& directory,
                                               const journal_id& id, tag_id tag) {
    auto index = index_file::open(directory, id, segment.header.ordinal);
    if (!index && index.error().code == errc::newer_format)
        return std::unexpected(std::move(index.error()));
    if (index && is_of_segment(index->header(), segment)) {
        if (auto offsets = listed_with_tag(*index, segment.space(), tag))
            return std::move(*offsets);
    }
    auto built = index_from_frames(segment, directory, id);
    if (!built)
        return std::unexpected(std::move(built.error()));
    std::vector<std::uint64_t> offsets;
    for (const index_posting posting : built->postings_of(tag))
        offsets.push_back(std::uint64_t{posting} * frame_alignment);
    return offsets;
}

}  // namespace pawl::detail
