#pragma once

#include "measure/payloads.hpp"

#include <filesystem>

namespace bench {

// The payload sizes and the rate of a journal's events.
struct journal_model {
    payloads events;
    double events_per_s;  // mean, by the events' own timestamps
};

// Reads a journal's payload sizes, in order, and its mean rate. Throws if it cannot be read or
// holds fewer than two events.
[[nodiscard]] journal_model like_journal(const std::filesystem::path& directory);

}  // namespace bench
