// Where the log ends, and how far a reader lags.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace pawl::cli {

// Where the log ends now.
struct log_end {
    sequence_number next = 0;
    std::optional<std::uint64_t> last_ns{};  // time stamp of the last event, if there is one
};

[[nodiscard]] result<log_end> end_of_log(const std::filesystem::path& directory);

struct lag {
    std::uint64_t events = 0;
    // From the last event that was handled to the last of the log; nothing if it cannot be said.
    std::optional<std::uint64_t> ns{};
};

// Of a reader that has handled the events before `next`, the last of which has this time stamp.
[[nodiscard]] lag lag_of(sequence_number next, std::uint64_t event_ns, const log_end& end);

// "12 events, 0.250 s".
[[nodiscard]] std::string lag_text(const lag& of);

}  // namespace pawl::cli
