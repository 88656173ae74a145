#include "report/units.hpp"

#include <fmt/format.h>

#include <span>

namespace bench {
namespace {

std::string scaled(double value, std::span<const char* const> units) {
    std::size_t unit = 0;
    while (value >= 999.5 && unit + 1 < units.size()) {
        value /= 1000;
        ++unit;
    }
    const int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f}{}", value, digits, units[unit]);
}

}  // namespace

std::string duration_text(const std::optional<double>& ns) {
    static constexpr const char* units[] = {" ns", " us", " ms", " s"};
    return ns ? scaled(*ns, units) : "-";
}

std::string rate_text(const std::optional<double>& per_second) {
    static constexpr const char* units[] = {"", "k", "M", "G"};
    return per_second ? scaled(*per_second, units) : "-";
}

}  // namespace bench
