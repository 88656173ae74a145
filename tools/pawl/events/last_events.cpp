#include "events/last_events.hpp"

#include "terminal/interrupt.hpp"

#include <pawl/journal/cursor.hpp>

#include <algorithm>
#include <optional>
#include <vector>

namespace pawl::cli {

result<void> for_each_selected(const std::filesystem::path& directory, const selection& asked,
                               const event_filter& filter, const journal_words& words,
                               const std::function<void(const event&)>& visit) {
    std::optional<where_filter> where;
    if (!asked.where.empty()) {
        auto opened = where_filter::open(directory, asked, filter, words);
        if (!opened)
            return std::unexpected(std::move(opened.error()));
        where.emplace(std::move(*opened));
    }
    auto scan = event_scan::open(directory, filter);
    if (!scan)
        return std::unexpected(std::move(scan.error()));
    while (const event* e = interrupted() ? nullptr : scan->next()) {
        if (where) {
            const auto selected = where->selects(e->sequence());
            if (!selected)
                return std::unexpected(selected.error());
            if (!*selected)
                continue;
        }
        visit(*e);
    }
    if (const auto end = scan->finish(); !end && !interrupted())
        return std::unexpected(end.error());
    return {};
}

result<sequence_number> end_of_log(const std::filesystem::path& directory, const selection& asked) {
    const auto end = cursor::open(
        directory, {.from = from_end{},
                    .show = asked.durable ? visibility::durable : visibility::published,
                    .allow_network_file_system = asked.allow_network_file_system});
    if (!end)
        return std::unexpected(end.error());
    return end->next_sequence();
}

result<sequence_number> begin_of_last(const std::filesystem::path& directory,
                                      const selection& asked, event_filter filter,
                                      const journal_words& words, sequence_number before,
                                      std::uint64_t count) {
    const auto first =
        cursor::open(directory, {.allow_network_file_system = asked.allow_network_file_system});
    if (!first)
        return std::unexpected(first.error());
    const sequence_number begin = first->next_sequence();
    // Then the events need not be read to be counted.
    if (!asked.has_condition())
        return before - std::min(before - std::min(begin, before), count);
    constexpr std::uint64_t least_piece = 4096;
    constexpr std::uint64_t growth = 4;
    std::uint64_t events = std::max(count, least_piece);
    std::uint64_t missing = count;
    for (sequence_number end = before; end > begin && missing != 0 && !interrupted();) {
        filter.from = end - std::min(end - begin, events);
        filter.before = end;
        std::vector<sequence_number> found;
        if (auto seen = for_each_selected(directory, asked, filter, words,
                                          [&](const event& e) { found.push_back(e.sequence()); });
            !seen)
            return std::unexpected(std::move(seen.error()));
        if (found.size() >= missing)
            return found[found.size() - missing];
        missing -= found.size();
        end = *filter.from;
        events = events > before / growth ? before : events * growth;
    }
    return missing == 0 ? before : begin;
}

}  // namespace pawl::cli
