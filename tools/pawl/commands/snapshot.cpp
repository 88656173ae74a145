#include "commands/commands.hpp"
#include "terminal/output.hpp"
#include "terminal/progress.hpp"
#include "terminal/rows.hpp"

#include <nlohmann/json.hpp>

#include <pawl/journal/journal.hpp>
#include <pawl/replay/snapshot_audit.hpp>

#include <utility>
#include <vector>

namespace pawl::cli {

namespace {

nlohmann::ordered_json to_json(const std::vector<rejected_snapshot>& rejected) {
    auto list = nlohmann::ordered_json::array();
    for (const rejected_snapshot& each : rejected) {
        nlohmann::ordered_json json = error_json(each.why);
        json["file"] = each.path.filename().string();
        list.push_back(std::move(json));
    }
    return list;
}

nlohmann::ordered_json to_json(const snapshot_list& list, const std::filesystem::path& directory) {
    nlohmann::ordered_json json{{"directory", directory.string()},
                                {"snapshots", nlohmann::ordered_json::array()},
                                {"unusable", to_json(list.rejected)}};
    for (const snapshot_info& each : list.snapshots)
        json["snapshots"].push_back({{"file", each.path.filename().string()},
                                     {"name", each.name},
                                     {"state_version", each.state_version},
                                     {"next_sequence", each.point.next},
                                     {"payload_bytes", each.payload_bytes},
                                     {"created_ns", each.created_ns},
                                     {"journal", id_text(each.journal.id)}});
    return json;
}

void put_table(const snapshot_list& list) {
    if (list.snapshots.empty())
        return;
    row_writer rows{row_format::table, {"fold", "version", "sequence", "bytes", "taken"}};
    for (const snapshot_info& each : list.snapshots) {
        const std::string taken = time_text(each.created_ns);
        if (!rows.put({std::string_view{each.name}, std::int64_t{each.state_version},
                       static_cast<std::int64_t>(each.point.next),
                       static_cast<std::int64_t>(each.payload_bytes), std::string_view{taken}}))
            return;
    }
    (void)rows.finish();
}

exit_code complain_of(const std::vector<rejected_snapshot>& rejected) {
    for (const rejected_snapshot& each : rejected)
        complain(each.why.message());
    return rejected.empty() ? success : failure;
}

}  // namespace

exit_code list_snapshots_command(const snapshot_command_options& options) {
    const auto list = list_snapshots(options.directory);
    if (!list)
        return complain(list.error());
    if (options.json)
        put_json(to_json(*list, options.directory));
    else
        put_table(*list);
    return complain_of(list->rejected);
}

exit_code verify_snapshots_command(const snapshot_command_options& options) {
    auto audit = snapshot_audit::open(options.directory);
    if (!audit)
        return complain(audit.error());
    progress line;
    verify_options how{
        .progress = [&](std::uint64_t done, std::uint64_t all) { line.show(done, all); }};
    how.visit = [&](const event& each) { audit->add(each); };
    const auto log = verify(options.directory, how);
    if (!log)
        return complain(log.error());
    const auto rejected = audit->finish({log->id, log->origin});
    if (!rejected)
        return complain(rejected.error());
    if (options.json)
        put_json({{"directory", options.directory.string()},
                  {"snapshots", audit->count()},
                  {"next_sequence", log->next_sequence},
                  {"unusable", to_json(*rejected)}});
    else
        put(std::to_string(audit->count()) + " snapshots, " + std::to_string(rejected->size()) +
            " of them unusable\n");
    // What is wrong with the log itself is for `pawl verify` to say.
    for (const finding& found : log->findings)
        complain("log: " + found.what.message());
    return complain_of(*rejected);
}

}  // namespace pawl::cli
