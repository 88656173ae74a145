// A sample in the text format of Prometheus.
#pragma once

#include "stat/sample.hpp"

#include <string>

namespace pawl::cli {

// Every metric has the label `journal`, the directory as it was given.
[[nodiscard]] std::string prometheus_text(const stat_sample& sample,
                                          const std::filesystem::path& directory);

}  // namespace pawl::cli
