#include "commands/commands.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <pawl/journal/prune.hpp>
#include <pawl/replay/snapshot_holds.hpp>

#include <chrono>
#include <utility>

namespace pawl::cli {

namespace {

nlohmann::ordered_json to_json(const prune_report& report, const std::filesystem::path& directory) {
    nlohmann::ordered_json json{{"directory", directory.string()},
                                {"dry_run", report.dry_run},
                                {"segments", report.segments},
                                {"events", report.events},
                                {"bytes", report.bytes},
                                {"first_sequence", report.first_sequence},
                                {"held_by", nlohmann::ordered_json::array()}};
    for (const prune_hold& hold : report.held_by)
        json["held_by"].push_back({{"name", hold.name}, {"sequence", hold.sequence}});
    return json;
}

std::string to_text(const prune_report& report) {
    std::string text = fmt::format(
        "{}  {} in {} with {} bytes\n"
        "begins   with sequence {}\n",
        report.dry_run ? "would go" : "removed ", counted(report.events, "event"),
        counted(report.segments, "segment"), report.bytes, report.first_sequence);
    for (const prune_hold& hold : report.held_by)
        text += fmt::format("held by  {}, from sequence {} on\n", hold.name, hold.sequence);
    return text;
}

[[nodiscard]] std::uint64_t ns_before_now(std::uint64_t seconds) {
    using namespace std::chrono;
    constexpr std::uint64_t ns_per_s = 1'000'000'000;
    const auto now = static_cast<std::uint64_t>(
        duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count());
    return seconds > now / ns_per_s ? 0 : now - seconds * ns_per_s;
}

}  // namespace

exit_code prune_command(const prune_command_options& options) {
    auto holds = snapshot_holds(options.directory);
    if (!holds)
        return complain(holds.error());
    prune_options how{.before = options.before,
                      .keep_bytes = options.keep_bytes,
                      .holds = *holds,
                      .dry_run = options.dry_run,
                      .allow_network_file_system = options.allow_network_file_system};
    if (options.keep_seconds)
        how.before_ns = ns_before_now(*options.keep_seconds);
    const auto report = prune(options.directory, how);
    if (!report)
        return complain(report.error());
    if (options.json)
        put_json(to_json(*report, options.directory));
    else
        put(to_text(*report));
    return success;
}

}  // namespace pawl::cli
