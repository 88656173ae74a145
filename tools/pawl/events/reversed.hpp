// The events of a selection, the newest first.
#pragma once

#include "events/journal_words.hpp"
#include "events/selection.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/sqlite/event_scan.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace pawl::cli {

struct reversed_lines {
    std::filesystem::path directory;
    const selection& asked;
    event_filter filter;
    const journal_words& words;
    std::uint64_t limit = 0;
    // Makes an event's line.
    std::function<void(std::string&, const event&)> append;
    // Returns false to stop.
    std::function<bool(std::string_view)> put;
};

// Reads pieces of the log from its end backwards, each once and from its beginning on, and keeps
// the lines of one piece in memory. Stops after `limit` lines, or where the filter begins.
[[nodiscard]] result<void> write_reversed(reversed_lines lines);

}  // namespace pawl::cli
