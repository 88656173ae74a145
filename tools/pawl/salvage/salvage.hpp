// Copies what can be read of a damaged journal into a new one.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

namespace pawl::cli {

struct salvage_report {
    std::uint64_t copied = 0;  // events, those that an earlier attempt copied included
    // What could not be read. The new journal has an event `lost` at each of these sequences, and
    // at those of the events that were pruned.
    std::vector<event_run> gaps;
    std::uint64_t lost = 0;    // events in `gaps`
    std::uint64_t pruned = 0;  // events before the beginning of the damaged journal
    // Whole events at sequences that the new journal has already: of another history.
    std::uint64_t left_out = 0;
    // Events whose stream has a smaller version than before, because earlier ones are lost.
    std::uint64_t renumbered = 0;
    std::uint64_t names_lost = 0;  // streams that got a placeholder, `lost-name-N`
    sequence_number next_sequence = 0;
    verify_report source;  // what is wrong with the damaged journal
};

// Fails with locked while a writer holds `from`, and with diverged if `to` is a journal that holds
// anything but the beginning of what this would copy. Fails with invalid_argument if `to` is
// `from`, a copy of it made by copying files, or a journal of other origin. If `to` is a salvage
// that was killed, goes on where that stopped. `from` is only read.
[[nodiscard]] result<salvage_report> salvage(
    const std::filesystem::path& from, const std::filesystem::path& to,
    const std::function<void(std::uint64_t, std::uint64_t)>& progress,
    bool allow_network_file_system = false);

}  // namespace pawl::cli
