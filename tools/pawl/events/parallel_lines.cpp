#include "events/parallel_lines.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace pawl::cli {

namespace {

// Long enough to outweigh the opening of a cursor, short enough to keep the texts in the cache.
constexpr sequence_number stretch_events = 8192;
constexpr std::size_t stretches_per_thread = 4;

}  // namespace

bool parallel_lines::pays(sequence_number from, sequence_number before) noexcept {
    return std::thread::hardware_concurrency() > 1 && from < before &&
           before - from >= 2 * stretch_events;
}

parallel_lines::parallel_lines(const std::filesystem::path& directory, const event_filter& filter,
                               const journal_words& words, const event_json_options& options)
    : directory_{directory},
      filter_{.show = filter.show, .allow_network_file_system = filter.allow_network_file_system},
      stretches_(crew_.threads() * stretches_per_thread, stretch{event_json{words, options}}) {}

void parallel_lines::fill(stretch& into, sequence_number from, sequence_number before) const {
    into.text.clear();
    into.next = from;
    into.failed.reset();
    event_filter filter = filter_;
    filter.from = from;
    filter.before = before;
    auto scan = event_scan::open(directory_, filter);
    if (!scan) {
        into.failed = std::move(scan.error());
        return;
    }
    while (const event* e = scan->next()) {
        into.lines.append(into.text, *e);
        into.next = e->sequence() + 1;
    }
    if (auto end = scan->finish(); !end)
        into.failed = std::move(end.error());
}

result<sequence_number> parallel_lines::print(sequence_number from, sequence_number before,
                                              const std::function<bool(std::string_view)>& put) {
    while (from < before) {
        const auto begin_of = [&](std::size_t i) {
            return std::min(before, from + i * stretch_events);
        };
        const auto needed = static_cast<std::size_t>(
            std::min<std::uint64_t>(stretches_.size(), (before - from - 1) / stretch_events + 1));
        if (auto done = crew_.run(
                needed, [&](std::size_t i) { fill(stretches_[i], begin_of(i), begin_of(i + 1)); });
            !done)
            return std::unexpected(std::move(done.error()));
        const sequence_number end = begin_of(needed);
        for (std::size_t i = 0; i < needed; ++i) {
            stretch& each = stretches_[i];
            if (!put(each.text))
                return each.next;
            if (each.failed)
                return std::unexpected(std::move(*each.failed));
            if (each.next != begin_of(i + 1))
                return each.next;
        }
        from = end;
    }
    return from;
}

std::uint64_t parallel_lines::problems() const noexcept {
    std::uint64_t sum = 0;
    for (const stretch& each : stretches_)
        sum += each.lines.problems();
    return sum;
}

}  // namespace pawl::cli
