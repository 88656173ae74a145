// The last events that a selection has, found from the end of the log backwards.
#pragma once

#include "events/journal_words.hpp"
#include "events/selection.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/sqlite/event_scan.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>

namespace pawl::cli {

// The sequence from which on the filter and --where select `count` events, the last ones below
// `before`; where the log begins if there are not so many. Reads ever larger pieces from the end
// backwards, each once, until it has seen so many.
[[nodiscard]] result<sequence_number> begin_of_last(const std::filesystem::path& directory,
                                                    const selection& asked, event_filter filter,
                                                    const journal_words& words,
                                                    sequence_number before, std::uint64_t count);

// Visits the events that the filter and --where select, in order, until the user interrupts.
[[nodiscard]] result<void> for_each_selected(const std::filesystem::path& directory,
                                             const selection& asked, const event_filter& filter,
                                             const journal_words& words,
                                             const std::function<void(const event&)>& visit);

// Where the log ends now.
[[nodiscard]] result<sequence_number> end_of_log(const std::filesystem::path& directory,
                                                 const selection& asked);

}  // namespace pawl::cli
