#include "audit/name_search.hpp"

#include "format/name_frame.hpp"
#include "format/segment_walk.hpp"
#include "store/directory.hpp"
#include "store/retained.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/journal.hpp>

#include <utility>

namespace pawl {

namespace detail {

result<std::optional<stream_id>> find_name(index_file& index, const frame_space& space,
                                           std::string_view name) {
    auto offsets = index.find_name(name);
    if (!offsets)
        return std::unexpected(std::move(offsets.error()));
    std::optional<stream_id> found;
    for (const std::uint64_t offset : *offsets) {
        const auto named = name_at(space, offset);
        if (!named) {
            return std::unexpected(
                error{.code = errc::damaged,
                      .offset = offset,
                      .detail = "the index lists a name frame that is not there"});
        }
        if (named->name == name)
            found = named->stream;
    }
    return found;
}

std::optional<stream_id> find_name(const frame_space& space, std::string_view name) {
    std::optional<stream_id> found;
    const walk_start from{.sequence =
                              load_u64(space.base + first_frame_offset + frame_offset::sequence)};
    (void)walk_segment(space, from, [&](std::uint64_t offset, commit_word word) {
        const auto named = read_name(space.base + offset, word);
        if (named && named->name == name)
            found = named->stream;
    });
    return found;
}

namespace {

[[nodiscard]] result<std::optional<stream_id>> find_in_segment(
    const std::filesystem::path& directory, const journal_id& id, std::uint64_t ordinal,
    std::string_view name) {
    auto segment = open_segment(directory, id, ordinal);
    if (!segment) {
        // Listed, but gone since: it was only prepared, and a close or a recovery removed it.
        if (segment.error().code == errc::missing_segment)
            return std::nullopt;
        return std::unexpected(std::move(segment.error()));
    }
    const frame_space space = segment->space();
    std::optional<stream_id> found;
    auto index = index_file::open(directory, id, ordinal);
    if (!index && index.error().code == errc::newer_format)
        return std::unexpected(std::move(index.error()));
    auto listed = index && is_of_segment(index->header(), *segment)
                      ? find_name(*index, space, name)
                      : result<std::optional<stream_id>>{fail(errc::not_found)};
    found = listed ? *listed : find_name(space, name);
    // A lost page reads as zeros, in which no name is found.
    if (auto whole = segment->bytes.whole(); !whole)
        return std::unexpected(std::move(whole.error()));
    return found;
}

[[nodiscard]] result<std::optional<stream_id>> find_in_log(const std::filesystem::path& directory,
                                                           const journal_id& id,
                                                           const log_begin& begin,
                                                           std::string_view name) {
    if (begin.is_pruned()) {
        const auto kept = read_retained(directory, id);
        if (!kept)
            return std::unexpected(kept.error());
        if (*kept) {
            const auto named = (*kept)->names.find(name);
            if (named != (*kept)->names.end())
                return named->second;
        }
    }
    auto ordinals = list_log(directory, begin);
    if (!ordinals)
        return std::unexpected(std::move(ordinals.error()));
    for (const std::uint64_t ordinal : *ordinals) {
        auto found = find_in_segment(directory, id, ordinal, name);
        if (!found || *found)
            return found;
    }
    return std::optional<stream_id>{};
}

}  // namespace

}  // namespace detail

result<std::optional<stream_id>> find_stream(const std::filesystem::path& directory,
                                             std::string_view name) {
    return detail::guarded([&]() -> result<std::optional<stream_id>> {
        auto journal = detail::read_identity(directory);
        if (!journal)
            return std::unexpected(std::move(journal.error()));
        const journal_id id = detail::id_of(*journal);
        return detail::read_beside_prunes(directory, id, [&](const detail::log_begin& begin) {
            return detail::find_in_log(directory, id, begin, name);
        });
    });
}

}  // namespace pawl
