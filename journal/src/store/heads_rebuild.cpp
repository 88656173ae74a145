#include "store/heads_rebuild.hpp"

#include "format/name_frame.hpp"
#include "os/assertion.hpp"
#include "store/directory.hpp"
#include "store/retained.hpp"
#include "store/segment_file.hpp"

#include <algorithm>
#include <utility>

namespace pawl::detail {

namespace {

[[nodiscard]] result<void> merge_names(stream_heads& heads, const segment_index& index,
                                       const frame_space& space) {
    for (const auto& [hash, offset] : index.names) {
        const auto named = name_at(space, offset);
        if (!named) {
            return std::unexpected(error{.code = errc::damaged,
                                         .offset = offset,
                                         .detail = "the index names a frame that is not there"});
        }
        heads.names.emplace(std::string{named->name}, named->stream);
    }
    return {};
}

// Each tag's last posting is its newest event in the segment.
[[nodiscard]] result<void> merge_tags(stream_heads& heads, const segment_index& index,
                                      const frame_space& space) {
    for (const index_tag& tag : index.tags) {
        const std::uint64_t offset =
            std::uint64_t{index.postings[tag.first + tag.postings - 1]} * frame_alignment;
        if (!has_room_for_header(space, offset)) {
            return std::unexpected(error{.code = errc::damaged,
                                         .offset = offset,
                                         .detail = "a posting leads out of the segment"});
        }
        stream_head* tip = heads.tags.find_or_grow(tag.tag);
        if (tip == nullptr)
            return fail(errc::out_of_memory);
        tip->version = load_u64(space.base + offset + frame_offset::sequence) + 1;
        tip->last = pack_position(index.header.ordinal, offset);
    }
    return {};
}

[[nodiscard]] result<void> merge_segment_at(stream_heads& heads, const directory_handle& directory,
                                            const journal_id& id, std::uint64_t ordinal,
                                            unindexed_commands* unindexed) {
    auto segment = open_segment(directory, id, ordinal);
    if (!segment)
        return std::unexpected(std::move(segment.error()));
    const frame_space space = segment->space();
    auto index = read_index(directory, id, ordinal);
    if (!index && index.error().code == errc::newer_format)
        return std::unexpected(std::move(index.error()));
    if (!index || !is_of_segment(index->header, *segment) || !lists_what_is_there(*index, space)) {
        index = index_from_frames(*segment, directory, id);
        if (index && unindexed != nullptr)
            unindexed->emplace(ordinal, index->commands);
    }
    if (!index)
        return std::unexpected(std::move(index.error()));
    PAWL_ASSERT(index->header.ordinal == ordinal);
    auto taken = merge_segment(heads, *index, space);
    if (auto whole = segment->bytes.whole(); !whole)
        return whole;
    return taken;
}

// The heads to start from without runs: none, or those of what was pruned.
[[nodiscard]] result<stream_heads> heads_at_beginning(const directory_handle& directory,
                                                      const journal_id& id,
                                                      std::uint64_t expected_streams) {
    const auto kept = read_retained(directory, id);
    if (!kept)
        return std::unexpected(kept.error());
    return *kept ? heads_of(**kept, expected_streams) : empty_heads(expected_streams);
}

}  // namespace

result<void> merge_segment(stream_heads& heads, const segment_index& index,
                           const frame_space& space) {
    PAWL_ASSERT(!heads.covers_something || index.header.ordinal > heads.ordinal);
    for (const index_stream& stream : index.streams) {
        stream_head* head = heads.slots.find_or_grow(stream.stream);
        if (head == nullptr)
            return fail(errc::out_of_memory);
        head->version = stream.version;
        head->last = pack_position(index.header.ordinal, stream.last_offset());
        heads.streams_so_far += stream.segments_back == 0 ? 1 : 0;
    }
    PAWL_ASSERT(heads.slots.used() < heads.slots.slots());
    if (auto named = merge_names(heads, index, space); !named)
        return named;
    if (auto tagged = merge_tags(heads, index, space); !tagged)
        return tagged;
    heads.unwritten.add(index.head_entries());
    heads.covers_something = true;
    heads.ordinal = index.header.ordinal;
    heads.epoch = index.header.epoch;
    heads.end_sequence = index.header.end_sequence;
    return {};
}

result<log_heads> load_heads(const directory_handle& directory, const journal_id& id,
                             std::uint64_t expected_streams,
                             std::span<const std::uint64_t> ordinals,
                             unindexed_commands* unindexed) {
    PAWL_ASSERT(std::ranges::is_sorted(ordinals));
    const auto begin = read_log_begin(directory, id);
    if (!begin)
        return std::unexpected(begin.error());
    auto runs = open_runs(directory, id, *begin, ordinals);
    if (!runs)
        return std::unexpected(std::move(runs.error()));
    auto later = runs->empty() ? heads_at_beginning(directory, id, expected_streams)
                               : heads_after(*runs, expected_streams);
    if (!later)
        return std::unexpected(std::move(later.error()));
    log_heads heads{.runs = std::move(*runs), .later = std::move(*later)};
    for (const std::uint64_t ordinal : ordinals) {
        if (ordinal < begin->ordinal)
            continue;
        if (heads.later.covers_something && ordinal <= heads.later.ordinal)
            continue;
        if (auto taken = merge_segment_at(heads.later, directory, id, ordinal, unindexed); !taken) {
            return std::unexpected(std::move(taken.error()));
        }
    }
    return heads;
}

}  // namespace pawl::detail
