#include "format/clock_frame.hpp"
#include "format/segment_walk.hpp"
#include "store/directory.hpp"
#include "store/log_begin.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <optional>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace pawl {

namespace {

using namespace detail;  // NOLINT(google-build-using-namespace): the layers below this file

// A newer program wrote a report of another size.
[[nodiscard]] std::optional<recorded_clock> read_report(const std::byte* frame, commit_word word) {
    const bool is_report = word.is_system() &&
                           word.type() == static_cast<std::uint16_t>(system_type::clock_report) &&
                           word.frame_bytes() == clock_frame_bytes;
    if (!is_report)
        return std::nullopt;
    clock_payload said{};
    std::memcpy(&said, frame + frame_header_bytes, sizeof said);
    return recorded_clock{.source = static_cast<clock_source>(said.source),
                          .synchronised = said.synchronised != 0,
                          .estimated_error_ns = said.estimated_error_ns,
                          .maximum_error_ns = said.maximum_error_ns,
                          .tsc_hz = said.tsc_hz,
                          .drift_ns = said.drift_ns,
                          .steps = said.steps,
                          .timestamp_ns = load_u64(frame + frame_offset::timestamp),
                          .next_sequence = load_u64(frame + frame_offset::sequence)};
}

struct searched_segment {
    bool holds_frames = false;
    std::vector<recorded_clock> reports;
    std::optional<error> damage;  // a sealed segment that could not be read up to its end
};

// A segment that is not sealed may end anywhere: its writer may be at work, or have died.
[[nodiscard]] std::optional<error> damage_of(const std::filesystem::path& directory,
                                             const journal_id& id, const read_segment& segment,
                                             const walk_end& end) {
    if (end.ended())
        return std::nullopt;
    const auto index = read_index_header(directory, id, segment.header.ordinal);
    if (!index || !is_of_segment(*index, segment))
        return std::nullopt;
    const bool newer = end.fault == frame_fault::newer;
    return error{.code = newer ? errc::newer_format : errc::damaged,
                 .offset = end.offset,
                 .sequence = end.sequence,
                 .file = segment.bytes.path().string(),
                 .detail = std::string{to_string(end.fault)}};
}

[[nodiscard]] result<searched_segment> search_segment(const std::filesystem::path& directory,
                                                      const journal_id& id, std::uint64_t ordinal) {
    auto segment = open_segment(directory, id, ordinal);
    if (!segment) {
        // Listed, but gone since: it was only prepared, and a close or a recovery removed it.
        if (segment.error().code == errc::missing_segment)
            return searched_segment{};
        return std::unexpected(std::move(segment.error()));
    }
    const frame_space space = segment->space();
    searched_segment found;
    const walk_start from{.sequence =
                              load_u64(space.base + first_frame_offset + frame_offset::sequence)};
    const walk_end end = walk_segment(space, from, [&](std::uint64_t offset, commit_word word) {
        found.holds_frames = true;
        if (auto report = read_report(space.base + offset, word))
            found.reports.push_back(*report);
    });
    if (auto whole = segment->bytes.whole(); !whole)
        return std::unexpected(std::move(whole.error()));
    found.damage = damage_of(directory, id, *segment, end);
    return found;
}

[[nodiscard]] result<std::vector<recorded_clock>> search_whole_log(
    const std::filesystem::path& directory, const journal_id& id, const log_begin& begin) {
    auto ordinals = list_log(directory, begin);
    if (!ordinals)
        return std::unexpected(std::move(ordinals.error()));
    std::vector<recorded_clock> reports;
    for (const std::uint64_t ordinal : *ordinals) {
        auto found = search_segment(directory, id, ordinal);
        if (!found)
            return std::unexpected(std::move(found.error()));
        if (found->damage)
            return std::unexpected(std::move(*found->damage));
        std::ranges::copy(found->reports, std::back_inserter(reports));
    }
    return reports;
}

[[nodiscard]] result<std::optional<recorded_clock>> search_newest(
    const std::filesystem::path& directory, const journal_id& id, const log_begin& begin) {
    auto ordinals = list_log(directory, begin);
    if (!ordinals)
        return std::unexpected(std::move(ordinals.error()));
    int left = 2;
    for (const std::uint64_t ordinal : std::views::reverse(*ordinals)) {
        auto found = search_segment(directory, id, ordinal);
        if (!found)
            return std::unexpected(std::move(found.error()));
        if (!found->reports.empty())
            return found->reports.back();
        if (found->holds_frames && --left == 0)
            break;
    }
    return std::optional<recorded_clock>{};
}

template <class Search>
[[nodiscard]] auto search(const std::filesystem::path& directory, Search&& find)
    -> std::invoke_result_t<Search, const std::filesystem::path&, const journal_id&,
                            const log_begin&> {
    auto journal = read_identity(directory);
    if (!journal)
        return std::unexpected(std::move(journal.error()));
    const journal_id id = id_of(*journal);
    return read_beside_prunes(directory, id,
                              [&](const log_begin& begin) { return find(directory, id, begin); });
}

}  // namespace

result<std::optional<recorded_clock>> last_clock_report(const std::filesystem::path& directory) {
    return detail::guarded([&] { return search(directory, search_newest); });
}

result<std::vector<recorded_clock>> clock_reports(const std::filesystem::path& directory) {
    return detail::guarded([&] { return search(directory, search_whole_log); });
}

}  // namespace pawl
