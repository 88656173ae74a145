#include "measure/failure.hpp"
#include "report/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <fstream>
#include <optional>
#include <string>

namespace bench {
namespace {

// Slowdowns below this factor count as noise.
constexpr double slower_by = 1.10;

std::optional<double> number(const nlohmann::json& from, const char* key) {
    const auto found = from.find(key);
    if (found == from.end() || !found->is_number()) {
        return std::nullopt;
    }
    return found->get<double>();
}

const nlohmann::json* find_row(const nlohmann::json& rows, const row& like) {
    for (const auto& one : rows) {
        if (one.value("bench", "") == like.bench && one.value("case", "") == like.variant &&
            one.value("contender", "") == like.contender &&
            one.value("payload_bytes", std::size_t{0}) == like.payload_bytes) {
            return &one;
        }
    }
    return nullptr;
}

}  // namespace

int print_slower(std::FILE* out, const std::filesystem::path& old_json, const report& found) {
    std::ifstream in(old_json);
    const auto old = nlohmann::json::parse(in, nullptr, false);
    if (!old.is_object() || !old.contains("rows") || !old["rows"].is_array()) {
        throw failure(old_json.string() + " is not a report of this program");
    }
    int slower = 0;
    int compared = 0;
    for (const auto& one : found.rows) {
        const auto* before = find_row(old["rows"], one);
        if (before == nullptr || one.contender == "floor" || one.unreliable ||
            before->value("unreliable", false)) {
            continue;
        }
        // Two runs share no machine state, so compare ratios. Compare times only if there is no
        // ratio, and then only if the rounds of the two runs do not overlap.
        const bool by_ratio = one.floor_ratio && number(*before, "floor_ratio");
        const auto then = number(*before, by_ratio ? "floor_ratio" : "ns_per_event");
        const auto now = by_ratio ? one.floor_ratio : one.ns_per_event;
        if (!then || !now) {
            continue;
        }
        ++compared;
        const bool overlap = !by_ratio && one.min_ns_per_event.value_or(0) <
                                              number(*before, "max_ns_per_event").value_or(0);
        if (*now > *then * slower_by && !overlap) {
            ++slower;
            fmt::print(out, "slower: {}, {}, {}: {} {:.3g}, was {:.3g}\n", one.bench, one.variant,
                       one.contender, by_ratio ? "ratio to the floor" : "ns an event", *now, *then);
        }
    }
    fmt::print(out, "compared with {}: {} rows, {} slower by more than {:.0f} %\n",
               old_json.string(), compared, slower, (slower_by - 1) * 100);
    return slower;
}

}  // namespace bench
