#include "store/index_links.hpp"

#include "os/assertion.hpp"
#include "store/command_index.hpp"
#include "store/directory.hpp"
#include "store/index_file.hpp"
#include "store/log_begin.hpp"
#include "store/retained.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace pawl::detail {

namespace {

using stream_list = std::vector<index_stream*>;

// Links the streams that the segment holds, and removes them from the list.
template <class Holds>
[[nodiscard]] result<void> link_to(std::uint64_t back, stream_list& wanted, Holds holds) {
    PAWL_ASSERT(back != 0);
    stream_list left;
    for (index_stream* stream : wanted) {
        const result<bool> held = holds(stream->stream);
        if (!held)
            return std::unexpected(held.error());
        if (*held)
            stream->segments_back = static_cast<std::uint32_t>(back);
        else
            left.push_back(stream);
    }
    wanted = std::move(left);
    return {};
}

// An earlier segment without an index of its own: its frames say which streams it holds.
[[nodiscard]] result<void> link_to_frames(const read_segment& segment,
                                          const directory_handle& directory, const journal_id& id,
                                          std::uint64_t back, stream_list& wanted) {
    const auto built = index_from_frames(segment, directory, id);
    if (!built)
        return std::unexpected(built.error());
    return link_to(back, wanted, [&](stream_id stream) -> result<bool> {
        return built->find_stream(stream) != nullptr;
    });
}

[[nodiscard]] result<void> link_to_segment(const directory_handle& directory, const journal_id& id,
                                           std::uint64_t ordinal, std::uint64_t back,
                                           stream_list& wanted) {
    auto segment = open_segment(directory, id, ordinal);
    if (!segment)
        return std::unexpected(std::move(segment.error()));
    auto index = index_file::open(directory, id, ordinal);
    if (!index && index.error().code != errc::not_found && index.error().code != errc::damaged)
        return std::unexpected(std::move(index.error()));
    if (!index || !is_of_segment(index->header(), *segment))
        return link_to_frames(*segment, directory, id, back, wanted);
    auto linked = link_to(back, wanted, [&](stream_id stream) -> result<bool> {
        auto found = index->find_stream(stream);
        if (!found)
            return std::unexpected(std::move(found.error()));
        return found->has_value();
    });
    if (linked || linked.error().code != errc::damaged)
        return linked;
    return link_to_frames(*segment, directory, id, back, wanted);
}

// Streams that no segment that is left holds: the link leads to where the log no longer is, as it
// did before the prune.
[[nodiscard]] result<void> link_to_pruned(const directory_handle& directory, const journal_id& id,
                                          std::uint64_t ordinal, const stream_list& wanted) {
    const auto kept = read_retained(directory, id);
    if (!kept)
        return std::unexpected(kept.error());
    if (!*kept)
        return {};
    const auto& heads = (*kept)->streams;
    for (index_stream* stream : wanted) {
        const auto head = std::ranges::lower_bound(heads, stream->stream, {}, &stream_head::stream);
        if (head != heads.end() && head->stream == stream->stream) {
            const std::uint64_t earlier = unpack_position(head->last).ordinal;
            stream->segments_back = static_cast<std::uint32_t>(ordinal - earlier);
        }
    }
    return {};
}

}  // namespace

result<void> link_index(segment_index& index, const directory_handle& directory,
                        const journal_id& id, const log_heads* before) {
    PAWL_ASSERT(index.header.commands_back == not_linked);
    if (auto linked = link_commands(index.header, directory, id); !linked)
        return linked;
    const std::uint64_t ordinal = index.header.ordinal;
    stream_list wanted;
    for (index_stream& stream : index.streams) {
        if (stream.segments_back != not_linked)
            continue;
        stream.segments_back = 0;
        stream_head head{};
        const head_lookup found =
            before == nullptr ? head_lookup::unreadable : before->find_stream(stream.stream, head);
        if (found == head_lookup::unreadable) {
            wanted.push_back(&stream);
        } else if (found == head_lookup::present) {
            const std::uint64_t earlier = unpack_position(head.last).ordinal;
            stream.segments_back = static_cast<std::uint32_t>(ordinal - earlier);
        }
    }
    if (wanted.empty())
        return {};
    const auto begin = read_log_begin(directory, id);
    if (!begin)
        return std::unexpected(begin.error());
    auto ordinals = list_log(directory, *begin);
    if (!ordinals)
        return std::unexpected(std::move(ordinals.error()));
    for (auto earlier = ordinals->rbegin(); earlier != ordinals->rend(); ++earlier) {
        if (*earlier >= ordinal || wanted.empty())
            continue;
        if (auto linked = link_to_segment(directory, id, *earlier, ordinal - *earlier, wanted);
            !linked)
            return linked;
    }
    if (!wanted.empty() && begin->is_pruned())
        return link_to_pruned(directory, id, ordinal, wanted);
    return {};
}

}  // namespace pawl::detail
