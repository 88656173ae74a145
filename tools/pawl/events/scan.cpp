#include "events/scan.hpp"

#include "terminal/interrupt.hpp"
#include "terminal/progress.hpp"

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>

#include <cstdint>
#include <utility>

namespace pawl::cli {

result<void> scan(const std::filesystem::path& directory, bool allow_network_file_system,
                  const std::function<void(const event&)>& visit) {
    const auto journal = inspect(directory);
    if (!journal)
        return std::unexpected(journal.error());
    auto events = cursor::open(
        directory, {.keep_cached = false, .allow_network_file_system = allow_network_file_system});
    if (!events)
        return std::unexpected(std::move(events.error()));
    const auto end = cursor::open(
        directory, {.from = from_end{}, .allow_network_file_system = allow_network_file_system});
    if (!end)
        return std::unexpected(end.error());
    const sequence_number last = end->next_sequence();
    const std::uint64_t bytes = journal->segments.size() * journal->segment_bytes;
    const std::uint64_t first = journal->segments.empty() ? 0 : journal->segments.front().ordinal;
    catch_interrupts();
    progress line;
    while (events->next_sequence() < last && !interrupted()) {
        const event* e = events->next();
        if (e == nullptr)
            break;
        visit(*e);
        constexpr sequence_number look_each = 4096;
        if (e->sequence() % look_each == 0)
            line.show(
                (e->position().ordinal - first) * journal->segment_bytes + e->position().offset,
                bytes);
    }
    if (events->next_sequence() >= last || interrupted())
        return {};
    const auto finished = events->finish();
    if (!finished)
        return std::unexpected(finished.error());
    return {};
}

}  // namespace pawl::cli
