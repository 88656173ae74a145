#include "terminal/log_records.hpp"

#include "terminal/output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

namespace pawl::cli {

namespace {

std::string_view source_text(clock_source source) {
    switch (source) {
        case clock_source::tsc:
            return "time stamp counter";
        case clock_source::system:
            return "system clock";
        case clock_source::caller:
            break;
    }
    return "unknown";
}

std::string to_text(const recorded_clock& clock) {
    const std::string pace = clock.tsc_hz == 0 ? "" : fmt::format(" at {} Hz", clock.tsc_hz);
    return fmt::format(
        "clock      {}{}, {}synchronised\n"
        "           error {} ns, at most {} ns\n"
        "           {} steps, {} ns of drift\n"
        "           reported {}, before event {}\n",
        source_text(clock.source), pace, clock.synchronised ? "" : "not ", clock.estimated_error_ns,
        clock.maximum_error_ns, clock.steps, clock.drift_ns, time_text(clock.timestamp_ns),
        clock.next_sequence);
}

}  // namespace

nlohmann::ordered_json to_json(const recorded_clock& clock) {
    return {{"source", source_text(clock.source)},
            {"synchronised", clock.synchronised},
            {"estimated_error_ns", clock.estimated_error_ns},
            {"maximum_error_ns", clock.maximum_error_ns},
            {"tsc_hz", clock.tsc_hz},
            {"drift_ns", clock.drift_ns},
            {"steps", clock.steps},
            {"timestamp_ns", clock.timestamp_ns},
            {"next_sequence", clock.next_sequence}};
}

log_records read_records(const std::filesystem::path& directory) {
    log_records records;
    if (auto described = descriptions(directory))
        records.descriptions = std::move(*described);
    else
        records.failure = std::move(described.error());
    if (auto clock = last_clock_report(directory))
        records.clock = *clock;
    else if (!records.failure)
        records.failure = std::move(clock.error());
    return records;
}

void add_json(nlohmann::ordered_json& json, const log_records& records) {
    if (records.clock)
        json["clock"] = to_json(*records.clock);
    json["descriptions"] = nlohmann::ordered_json::array();
    for (const recorded_description& said : records.descriptions) {
        json["descriptions"].push_back({{"type", said.type},
                                        {"schema_version", said.schema_version},
                                        {"name", said.name},
                                        {"bytes", said.bytes.size()},
                                        {"next_sequence", said.next_sequence},
                                        {"timestamp_ns", said.timestamp_ns}});
    }
}

std::string to_text(const log_records& records) {
    std::string text = records.clock ? to_text(*records.clock) : std::string{};
    for (const recorded_description& said : records.descriptions) {
        text += fmt::format("describes  type {}/{} {}: {} bytes, before event {}\n", said.type,
                            said.schema_version, said.name, said.bytes.size(), said.next_sequence);
    }
    return text;
}

}  // namespace pawl::cli
