// Prints results: the same values as lines for people or as one JSON object for programs.
#pragma once

#include "events.hpp"

#include <nlohmann/json.hpp>

#include <pawl/journal/error.hpp>
#include <pawl/replay/restore.hpp>

#include <cstdint>
#include <string>

namespace exchange {

using report = nlohmann::ordered_json;

// Prints the report and returns `exit_code`, or 1 if it could not be written.
[[nodiscard]] int print(const report& values, bool json, int exit_code = 0);

// Prints the error on standard error and returns 1.
[[nodiscard]] int complain(const pawl::error& what);

// The file of the snapshot that was used, or null.
[[nodiscard]] report snapshot_used(const pawl::restore_report& restored);

// "unknown order" for unknown_order.
[[nodiscard]] std::string in_words(reason why);

// 16 hexadecimal digits.
[[nodiscard]] std::string hexadecimal(std::uint64_t value);

}  // namespace exchange
