#include "measure/failure.hpp"
#include "report/report.hpp"

#include <nlohmann/json.hpp>

#include <fstream>

namespace bench {
namespace {

nlohmann::ordered_json figure_or_null(const std::optional<double>& value) {
    return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

nlohmann::ordered_json to_json(const row& one) {
    nlohmann::ordered_json made;
    made["bench"] = one.bench;
    made["case"] = one.variant;
    made["contender"] = one.contender;
    made["payload_bytes"] = one.payload_bytes;
    made["events_per_s"] = figure_or_null(one.events_per_s);
    made["ns_per_event"] = figure_or_null(one.ns_per_event);
    made["p50_ns"] = figure_or_null(one.p50_ns);
    made["p99_ns"] = figure_or_null(one.p99_ns);
    made["p999_ns"] = figure_or_null(one.p999_ns);
    made["p9999_ns"] = figure_or_null(one.p9999_ns);
    made["max_ns"] = figure_or_null(one.max_ns);
    made["floor_ratio"] = figure_or_null(one.floor_ratio);
    made["ratio_of"] = to_string(one.ratio_of);
    made["repetitions"] = one.repetitions;
    made["dropped_repetitions"] = one.dropped_repetitions;
    made["min_ns_per_event"] = figure_or_null(one.min_ns_per_event);
    made["max_ns_per_event"] = figure_or_null(one.max_ns_per_event);
    made["threads"] = one.threads;
    made["survives_sigkill"] = one.keeps.survives_kill;
    made["survives_power_loss"] = one.keeps.survives_power_loss;
    made["checksummed"] = one.keeps.checksummed;
    made["options"] = one.options;
    made["note"] = one.note;
    made["floor_spread"] = figure_or_null(one.floor_spread);
    made["unreliable"] = one.unreliable;
    auto& curve = made["percentiles"] = nlohmann::ordered_json::array();
    for (const auto& [share, ns] : one.curve) {
        curve.push_back({share, ns});
    }
    return made;
}

nlohmann::ordered_json to_json(const verdict& one) {
    return {{"target", one.question}, {"reached", one.reached},
            {"wanted", one.limit},    {"wanted_is", one.at_least ? "at least" : "at most"},
            {"met", one.met()},       {"unreliable", one.unreliable},
            {"note", one.note}};
}

}  // namespace

nlohmann::ordered_json to_json(const nlohmann::ordered_json& machine, const report& found) {
    nlohmann::ordered_json made;
    made["machine"] = machine;
    auto& rows = made["rows"] = nlohmann::ordered_json::array();
    for (const auto& one : found.rows) {
        rows.push_back(to_json(one));
    }
    auto& targets = made["targets"] = nlohmann::ordered_json::array();
    for (const auto& one : found.verdicts) {
        targets.push_back(to_json(one));
    }
    made["not_measured"] = found.failures;
    return made;
}

void write_file(const std::filesystem::path& path, const std::string& text) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) {
        fail_errno("write " + path.string());
    }
}

}  // namespace bench
