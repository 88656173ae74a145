#pragma once

#include <optional>
#include <string>

namespace bench {

// Three significant digits with a unit: "18.3 ns", "1.21 ms"; a dash for nothing.
[[nodiscard]] std::string duration_text(const std::optional<double>& ns);
// Three significant digits: "950", "18.3k", "54.1M"; a dash for nothing.
[[nodiscard]] std::string rate_text(const std::optional<double>& per_second);

}  // namespace bench
