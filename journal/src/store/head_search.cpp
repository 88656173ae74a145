#include "store/head_search.hpp"

#include "format/name_frame.hpp"
#include "os/assertion.hpp"
#include "store/retained.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <algorithm>
#include <utility>

namespace pawl::detail {

namespace {

// Calls look(index, space) for each segment, newest first, until it returns something.
template <class Found, class Look>
[[nodiscard]] result<std::optional<Found>> search(const directory_handle& directory,
                                                  const journal_id& id, std::uint64_t last_ordinal,
                                                  const Look& look) {
    const auto begin = read_log_begin(directory, id);
    if (!begin)
        return std::unexpected(begin.error());
    auto ordinals = list_log(directory, *begin);
    if (!ordinals)
        return std::unexpected(std::move(ordinals.error()));
    std::erase_if(*ordinals, [&](std::uint64_t each) { return each > last_ordinal; });
    for (auto each = ordinals->rbegin(); each != ordinals->rend(); ++each) {
        auto segment = open_segment(directory, id, *each);
        if (!segment)
            return std::unexpected(std::move(segment.error()));
        auto index = read_index(directory, id, *each);
        if (!index || !is_of_segment(index->header, *segment))
            index = index_from_frames(*segment, directory, id);
        if (!index)
            return std::unexpected(std::move(index.error()));
        const std::optional<Found> found = look(*index, segment->space());
        if (auto whole = segment->bytes.whole(); !whole)
            return std::unexpected(std::move(whole.error()));
        if (found)
            return found;
    }
    return std::optional<Found>{};
}

// What a prune kept of a stream or tag.
[[nodiscard]] result<stream_head> search_retained(const directory_handle& directory,
                                                  const journal_id& id, std::uint64_t number,
                                                  std::vector<stream_head> retained_log::* list) {
    const auto kept = read_retained(directory, id);
    if (!kept)
        return std::unexpected(kept.error());
    stream_head none{.stream = number, .version = 0, .last = 0};
    if (!*kept)
        return none;
    const auto& heads = (**kept).*list;
    const auto at = std::ranges::lower_bound(heads, number, {}, &stream_head::stream);
    return at != heads.end() && at->stream == number ? *at : none;
}

}  // namespace

result<stream_head> search_stream(const directory_handle& directory, const journal_id& id,
                                  std::uint64_t last_ordinal, stream_id stream) {
    const auto found = search<stream_head>(
        directory, id, last_ordinal,
        [&](const segment_index& index, const frame_space&) -> std::optional<stream_head> {
            const index_stream* entry = index.find_stream(stream);
            if (entry == nullptr)
                return std::nullopt;
            return stream_head{stream, entry->version,
                               pack_position(index.header.ordinal, entry->last_offset())};
        });
    if (!found)
        return std::unexpected(found.error());
    return *found ? **found : search_retained(directory, id, stream, &retained_log::streams);
}

result<stream_head> search_tag(const directory_handle& directory, const journal_id& id,
                               std::uint64_t last_ordinal, tag_id tag) {
    const auto found = search<stream_head>(
        directory, id, last_ordinal,
        [&](const segment_index& index, const frame_space& space) -> std::optional<stream_head> {
            const auto postings = index.postings_of(tag);
            if (postings.empty())
                return std::nullopt;
            const std::uint64_t offset = std::uint64_t{postings.back()} * frame_alignment;
            if (!has_room_for_header(space, offset))
                return std::nullopt;
            return stream_head{tag, load_u64(space.base + offset + frame_offset::sequence) + 1,
                               pack_position(index.header.ordinal, offset)};
        });
    if (!found)
        return std::unexpected(found.error());
    return *found ? **found : search_retained(directory, id, tag, &retained_log::tags);
}

result<std::optional<stream_id>> search_name(const directory_handle& directory,
                                             const journal_id& id, std::uint64_t last_ordinal,
                                             std::string_view name) {
    auto found = search<stream_id>(
        directory, id, last_ordinal,
        [&](const segment_index& index, const frame_space& space) -> std::optional<stream_id> {
            for (const indexed_name& each : index.names) {
                const auto named = name_at(space, each.offset);
                if (named && named->name == name)
                    return named->stream;
            }
            return std::nullopt;
        });
    if (!found || *found)
        return found;
    const auto kept = read_retained(directory, id);
    if (!kept)
        return std::unexpected(kept.error());
    if (*kept) {
        if (const auto known = (*kept)->names.find(name); known != (*kept)->names.end())
            return known->second;
    }
    return found;
}

}  // namespace pawl::detail
