#include "format/name_frame.hpp"
#include "format/segment_walk.hpp"
#include "store/directory.hpp"
#include "store/retained.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <utility>

namespace pawl {

namespace {

[[nodiscard]] result<void> list_names(const std::filesystem::path& directory, const journal_id& id,
                                      std::uint64_t ordinal, std::vector<recorded_name>& into) {
    auto segment = detail::open_segment(directory, id, ordinal);
    if (!segment) {
        // Listed, but gone since: it was only prepared, and a close or a recovery removed it.
        if (segment.error().code == errc::missing_segment)
            return {};
        return std::unexpected(std::move(segment.error()));
    }
    const auto index = detail::read_index_header(directory, id, ordinal);
    constexpr auto named = detail::bit_of(detail::system_type::stream_name);
    if (index && is_of_segment(*index, *segment) && (index->system_types & named) == 0)
        return {};
    const detail::frame_space space = segment->space();
    const detail::walk_start from{.sequence =
                                      detail::load_u64(space.base + detail::first_frame_offset +
                                                       detail::frame_offset::sequence)};
    (void)detail::walk_segment(space, from, [&](std::uint64_t offset, detail::commit_word word) {
        const std::byte* frame = space.base + offset;
        if (const auto each = detail::read_name(frame, word))
            into.push_back(
                {.stream = each->stream,
                 .timestamp_ns = detail::load_u64(frame + detail::frame_offset::timestamp),
                 .name = std::string{each->name}});
    });
    // A lost page reads as zeros, in which no name is found.
    return segment->bytes.whole();
}

// The names of what was pruned, in the order in which their numbers were given.
[[nodiscard]] result<void> list_pruned_names(const std::filesystem::path& directory,
                                             const journal_id& id,
                                             std::vector<recorded_name>& into) {
    auto kept = detail::read_retained(directory, id);
    if (!kept)
        return std::unexpected(std::move(kept.error()));
    if (!*kept)
        return {};
    for (const auto& [name, stream] : (*kept)->names)
        into.push_back({.stream = stream, .timestamp_ns = 0, .name = name});
    std::ranges::sort(into, {}, &recorded_name::stream);
    return {};
}

[[nodiscard]] result<std::vector<recorded_name>> list_all_names(
    const std::filesystem::path& directory, const journal_id& id, const detail::log_begin& begin) {
    std::vector<recorded_name> names;
    if (begin.is_pruned()) {
        if (auto pruned = list_pruned_names(directory, id, names); !pruned)
            return std::unexpected(std::move(pruned.error()));
    }
    auto ordinals = detail::list_log(directory, begin);
    if (!ordinals)
        return std::unexpected(std::move(ordinals.error()));
    for (const std::uint64_t ordinal : *ordinals)
        if (auto more = list_names(directory, id, ordinal, names); !more)
            return std::unexpected(std::move(more.error()));
    return names;
}

}  // namespace

result<std::vector<recorded_name>> stream_names(const std::filesystem::path& directory) {
    return detail::guarded([&]() -> result<std::vector<recorded_name>> {
        auto journal = detail::read_identity(directory);
        if (!journal)
            return std::unexpected(std::move(journal.error()));
        const journal_id id = detail::id_of(*journal);
        return detail::read_beside_prunes(directory, id, [&](const detail::log_begin& begin) {
            return list_all_names(directory, id, begin);
        });
    });
}

}  // namespace pawl
