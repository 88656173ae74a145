#include "events/reversed.hpp"

#include "events/last_events.hpp"
#include "terminal/interrupt.hpp"

#include <pawl/journal/cursor.hpp>

#include <algorithm>
#include <ranges>
#include <vector>

namespace pawl::cli {

result<void> write_reversed(reversed_lines of) {
    const auto first = cursor::open(
        of.directory, {.allow_network_file_system = of.asked.allow_network_file_system});
    if (!first)
        return std::unexpected(first.error());
    const auto log_end = end_of_log(of.directory, of.asked);
    if (!log_end)
        return std::unexpected(log_end.error());
    const sequence_number begin = std::max(first->next_sequence(), of.filter.from.value_or(0));
    constexpr std::uint64_t least_piece = 1024;
    constexpr std::uint64_t largest_piece = 65536;
    constexpr std::uint64_t growth = 4;
    std::uint64_t events = least_piece;
    for (sequence_number end = *log_end; end > begin && of.limit != 0 && !interrupted();) {
        of.filter.from = end - std::min(end - begin, events);
        of.filter.before = end;
        std::vector<std::string> lines;
        if (auto seen =
                for_each_selected(of.directory, of.asked, of.filter, of.words,
                                  [&](const event& e) { of.append(lines.emplace_back(), e); });
            !seen)
            return seen;
        for (const std::string& line : std::views::reverse(lines)) {
            if (of.limit-- == 0 || !of.put(line) || interrupted())
                return {};
        }
        end = *of.filter.from;
        events = std::min(events * growth, largest_piece);
    }
    return {};
}

}  // namespace pawl::cli
