#include "store/command_index.hpp"

#include "os/assertion.hpp"
#include "store/directory.hpp"
#include "store/index_file.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace pawl::detail {

namespace {

// What a segment says of commands.
struct segment_commands {
    bool any = false;
    // How many segments before it the last one lies that holds any, 0 if there is none. Unknown
    // where the segment has no index.
    std::optional<std::uint64_t> back{};
    std::vector<index_command> list{};
};

enum class detail_level : std::uint8_t { any, list };

[[nodiscard]] result<segment_commands> from_index(index_file index, detail_level level) {
    segment_commands found{.any = index.has_commands(), .back = index.header().commands_back};
    if (level == detail_level::any)
        return found;
    auto list = index.commands();
    if (!list)
        return std::unexpected(std::move(list.error()));
    found.list = std::move(*list);
    return found;
}

// An index that is missing, damaged or another segment's is no loss: the frames say the same.
[[nodiscard]] result<segment_commands> commands_of(const directory_handle& directory,
                                                   const journal_id& id, std::uint64_t ordinal,
                                                   detail_level level) {
    auto segment = open_segment(directory, id, ordinal);
    if (!segment)
        return std::unexpected(std::move(segment.error()));
    auto index = index_file::open(directory, id, ordinal);
    if (!index && index.error().code == errc::newer_format)
        return std::unexpected(std::move(index.error()));
    if (index && is_of_segment(index->header(), *segment)) {
        if (auto found = from_index(std::move(*index), level))
            return found;
    }
    auto built = index_from_frames(*segment, directory, id);
    if (!built)
        return std::unexpected(std::move(built.error()));
    return segment_commands{.any = !built->commands.empty(), .list = std::move(built->commands)};
}

}  // namespace

result<void> link_commands(index_header& header, const directory_handle& directory,
                           const journal_id& id) {
    header.commands_back = 0;
    for (std::uint64_t earlier = header.ordinal; earlier-- != 0;) {
        const auto there = directory.has(segment_name(earlier));
        if (!there)
            return std::unexpected(there.error());
        if (!*there)
            return {};
        const auto found = commands_of(directory, id, earlier, detail_level::any);
        if (!found)
            return std::unexpected(found.error());
        const std::uint64_t back = header.ordinal - earlier;
        if (found->any || (found->back && *found->back != 0))
            header.commands_back =
                static_cast<std::uint32_t>(found->any ? back : back + *found->back);
        if (found->any || found->back)
            return {};
    }
    return {};
}

result<std::vector<logged_command>> load_commands(const directory_handle& directory,
                                                  const journal_id& id,
                                                  std::span<const std::uint64_t> ordinals,
                                                  std::uint64_t most,
                                                  const unindexed_commands& read) {
    std::vector<logged_command> loaded;
    if (most == 0 || ordinals.empty())
        return loaded;
    PAWL_ASSERT(std::ranges::is_sorted(ordinals));
    std::uint64_t ordinal = ordinals.back();
    for (;;) {
        segment_commands found;
        if (const auto known = read.find(ordinal); known != read.end()) {
            found.list = known->second;
        } else {
            auto asked = commands_of(directory, id, ordinal, detail_level::list);
            if (!asked)
                return std::unexpected(std::move(asked.error()));
            found = std::move(*asked);
        }
        for (auto command = found.list.rbegin(); command != found.list.rend(); ++command) {
            if (loaded.size() == most)
                break;
            loaded.push_back({*command, ordinal});
        }
        const std::uint64_t back = found.back.value_or(1);
        if (loaded.size() == most || back == 0 || back > ordinal ||
            !std::ranges::binary_search(ordinals, ordinal - back))
            break;
        ordinal -= back;
    }
    std::ranges::reverse(loaded);
    return loaded;
}

retained_command retained_of(const index_command& command) noexcept {
    retained_command made{.id = {},
                          .hash = command.hash,
                          .first_sequence = command.first_sequence,
                          .events = command.events};
    std::ranges::copy(command.id, made.id);
    return made;
}

void add_retained(std::vector<logged_command>& commands, std::span<const retained_command> retained,
                  std::uint64_t most) {
    const auto room =
        static_cast<std::size_t>(most - std::min<std::uint64_t>(most, commands.size()));
    std::vector<logged_command> older;
    for (const retained_command& each : retained.last(std::min(room, retained.size()))) {
        index_command command{.id = {},
                              .hash = each.hash,
                              .first_sequence = each.first_sequence,
                              .first = 0,
                              .events = static_cast<std::uint32_t>(each.events)};
        std::ranges::copy(each.id, command.id);
        older.push_back({command, 0});
    }
    commands.insert(commands.begin(), older.begin(), older.end());
}

}  // namespace pawl::detail
