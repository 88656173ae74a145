// One pass over the events of a journal, for commands that count them.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>

#include <filesystem>
#include <functional>

namespace pawl::cli {

// Visits every event that was published when it began, in order, with progress on a terminal.
// Ctrl-C ends it early and without an error; interrupted() is then true. If an event cannot be
// read, those before it have been visited.
[[nodiscard]] result<void> scan(const std::filesystem::path& directory,
                                bool allow_network_file_system,
                                const std::function<void(const event&)>& visit);

}  // namespace pawl::cli
