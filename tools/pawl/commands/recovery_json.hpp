// The JSON of a recovery's report.
#pragma once

#include <nlohmann/json.hpp>

#include <pawl/journal/recovery_report.hpp>

#include <filesystem>

namespace pawl::cli {

[[nodiscard]] nlohmann::ordered_json recovery_json(const recovery_report& report,
                                                   const std::filesystem::path& directory);

}  // namespace pawl::cli
