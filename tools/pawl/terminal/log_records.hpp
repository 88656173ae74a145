// What `pawl info` shows of the records in the log that are no events.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <pawl/journal/journal.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace pawl::cli {

struct log_records {
    std::vector<recorded_description> descriptions;
    std::optional<recorded_clock> clock;  // the last report
    std::optional<error> failure;         // why not all could be read
};

[[nodiscard]] log_records read_records(const std::filesystem::path& directory);

[[nodiscard]] nlohmann::ordered_json to_json(const recorded_clock& clock);

void add_json(nlohmann::ordered_json& json, const log_records& records);
[[nodiscard]] std::string to_text(const log_records& records);

}  // namespace pawl::cli
