// What changes while a journal is written: the page asks for it every second.
#include "stat/sample.hpp"
#include "terminal/output.hpp"
#include "view/page_json.hpp"

#include <string>

namespace pawl::cli {

namespace {

using nlohmann::ordered_json;

void add_writer(ordered_json& json, const stat_sample& sample) {
    constexpr double half = 0.5;
    constexpr double most = 0.99;
    const journal_status& status = sample.status;
    json.update({{"state", to_string(status.state)},
                 {"locked", status.locked},
                 {"owner", status.owner},
                 {"heartbeat_age_ns", text_of(heartbeat_age_ns(sample))},
                 {"os_error", status.os_error},
                 {"shortage", status.shortage},
                 {"published", text_of(status.published)},
                 {"durable", text_of(status.durable)},
                 {"opened_ns", text_of(status.opened_ns)},
                 {"appended_bytes", text_of(status.appended_bytes)},
                 {"segments_ready", text_of(status.segments_ready)},
                 {"back_pressure", text_of(status.back_pressure)},
                 {"syncs", text_of(status.syncs)},
                 {"sync_p50_us", sync_quantile_us(status, half)},
                 {"sync_p99_us", sync_quantile_us(status, most)},
                 {"counters", ordered_json::array()},
                 {"consumers", ordered_json::array()}});
    for (const named_count& each : status.counters)
        json["counters"].push_back({{"name", each.name},
                                    {"total", each.kind == counter_kind::total},
                                    {"value", text_of(each.value)}});
    for (const consumer_info& each : sample.consumers.consumers) {
        const lag behind = lag_of(each, sample);
        json["consumers"].push_back(
            {{"name", each.name},
             {"selection", each.selection},
             {"next", text_of(each.position.point.next)},
             {"lag_events", text_of(behind.events)},
             {"lag_ns", behind.ns ? text_of(*behind.ns) : ordered_json(nullptr)},
             {"committed", time_text(each.committed_ns)},
             {"holds_from", text_of(each.holds_from)},
             {"held", each.held},
             {"owner", each.owner},
             {"problem", nullptr}});
    }
    for (const unreadable_consumer& each : sample.consumers.unreadable)
        json["consumers"].push_back({{"name", each.name}, {"problem", error_json(each.why)}});
}

}  // namespace

ordered_json live_json(const log_map& map, const journal_words& words) {
    const log_extent extent = map.extent();
    const journal_info journal = map.journal();
    ordered_json json{{"directory", map.directory().string()},
                      {"id", id_text(journal.id)},
                      {"format", journal.format_version},
                      {"created", time_text(journal.created_ns)},
                      {"first", text_of(extent.first)},
                      {"next", text_of(extent.next)},
                      {"min_ns", text_of(extent.min_ns)},
                      {"max_ns", text_of(extent.max_ns)},
                      {"segments", journal.segments.size()},
                      {"size", text_of(journal.segments.size() * journal.segment_bytes)},
                      {"types", ordered_json::array()},
                      {"status_problem", nullptr}};
    std::optional<std::uint16_t> before;
    for (const described_event& each : words.types().events()) {
        if (before != each.type)
            json["types"].push_back(
                {{"number", each.type}, {"name", words.types().name_of(each.type)}});
        before = each.type;
    }
    // Without its control file a journal can still be looked at.
    const auto sample = take_sample(map.directory(), {});
    if (sample)
        add_writer(json, *sample);
    else
        json["status_problem"] = error_json(sample.error());
    return json;
}

}  // namespace pawl::cli
