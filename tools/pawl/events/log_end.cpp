#include "events/log_end.hpp"

#include <fmt/format.h>

#include <pawl/journal/cursor.hpp>

#include <algorithm>

namespace pawl::cli {

result<log_end> end_of_log(const std::filesystem::path& directory) {
    const auto end =
        cursor::open(directory, {.from = from_end{}, .allow_network_file_system = true});
    if (!end)
        return std::unexpected(end.error());
    log_end found{.next = end->next_sequence()};
    if (found.next == 0)
        return found;
    auto last = cursor::open(
        directory, {.from = from_sequence{found.next - 1}, .allow_network_file_system = true});
    if (!last)  // that event was pruned
        return found;
    if (const event* e = last->next())
        found.last_ns = e->timestamp_ns();
    return found;
}

lag lag_of(sequence_number next, std::uint64_t event_ns, const log_end& end) {
    lag found{.events = end.next - std::min(end.next, next)};
    if (found.events == 0)
        found.ns = 0;
    else if (end.last_ns && event_ns != 0)
        found.ns = *end.last_ns - std::min(*end.last_ns, event_ns);
    return found;
}

std::string lag_text(const lag& of) {
    constexpr double ns_per_s = 1e9;
    std::string text = fmt::format("{} events", of.events);
    if (of.ns)
        text += fmt::format(", {:.3f} s", static_cast<double>(*of.ns) / ns_per_s);
    return text;
}

}  // namespace pawl::cli
