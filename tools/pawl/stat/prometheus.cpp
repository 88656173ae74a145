#include "stat/prometheus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace pawl::cli {

namespace {

constexpr double ns_per_s = 1e9;

// A label's value, as the format wants it.
std::string label_value(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '\\' || c == '"')
            out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
    return out + '"';
}

class exposition {
  public:
    explicit exposition(const std::filesystem::path& directory)
        : journal_{"journal=" + label_value(directory.string())} {}

    // Begins a metric; its values follow.
    void begin(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        fmt::format_to(std::back_inserter(text_), "# HELP pawl_{} {}\n# TYPE pawl_{} {}\n", name,
                       help, name, type);
    }
    void value(const auto& value, std::string_view labels = {}, std::string_view suffix = {}) {
        fmt::format_to(std::back_inserter(text_), "pawl_{}{}{{{}{}{}}} {}\n", name_, suffix,
                       journal_, labels.empty() ? "" : ",", labels, value);
    }
    void only(std::string_view name, std::string_view type, std::string_view help, const auto& of) {
        begin(name, type, help);
        value(of);
    }
    [[nodiscard]] std::string text() const { return text_; }

  private:
    std::string journal_;
    std::string name_;
    std::string text_;
};

void put_sync_times(exposition& out, const journal_status& status) {
    constexpr double us_per_s = 1e6;
    out.begin("sync_duration_seconds", "histogram", "How long syncs took.");
    std::uint64_t below = 0;
    double bound = 1;
    for (std::size_t i = 0; i + 1 < status.sync_times.size(); ++i, bound *= 2) {
        below += status.sync_times[i];
        out.value(below, fmt::format("le=\"{}\"", bound / us_per_s), "_bucket");
    }
    below += status.sync_times.back();
    out.value(below, "le=\"+Inf\"", "_bucket");
    out.value(static_cast<double>(status.sync_ns) / ns_per_s, {}, "_sum");
    out.value(below, {}, "_count");
}

void put_consumers(exposition& out, const stat_sample& sample) {
    const auto& consumers = sample.consumers.consumers;
    if (!consumers.empty()) {
        out.begin("consumer_lag_events", "gauge", "Events that a consumer has not handled.");
        for (const consumer_info& each : consumers)
            out.value(lag_of(each, sample).events, "consumer=" + label_value(each.name));
        out.begin("consumer_lag_seconds", "gauge",
                  "From the last event that a consumer has handled to the last of the log.");
        for (const consumer_info& each : consumers) {
            if (const auto behind = lag_of(each, sample); behind.ns)
                out.value(static_cast<double>(*behind.ns) / ns_per_s,
                          "consumer=" + label_value(each.name));
        }
    }
    out.only("consumers_unreadable", "gauge", "Consumers that cannot be read.",
             sample.consumers.unreadable.size());
    if (sample.projections.empty())
        return;
    const auto labels = [](const projection_info& of) {
        return fmt::format("projection={},version=\"{}\",state=\"{}\"", label_value(of.name),
                           of.version, to_string(of.state));
    };
    out.begin("projection_stopped", "gauge", "1 if a projection has stopped because of an error.");
    for (const projection_info& each : sample.projections)
        out.value(each.stopped.empty() ? 0 : 1, labels(each));
    out.begin("projection_parked_events", "gauge", "Events that a projection has set aside.");
    for (const projection_info& each : sample.projections)
        out.value(each.parked.size(), labels(each));
    out.begin("projection_next_sequence", "gauge", "Sequence that a projection reads next.");
    for (const projection_info& each : sample.projections)
        out.value(each.next, labels(each));
}

void put_counters(exposition& out, const journal_status& status) {
    for (const named_count& each : status.counters) {
        const bool total = each.kind == counter_kind::total;
        const std::string name =
            "program_" + each.name + (total && !each.name.ends_with("_total") ? "_total" : "");
        out.only(name, total ? "counter" : "gauge",
                 fmt::format("The program's counter {}.", each.name), each.value);
    }
}

}  // namespace

std::string prometheus_text(const stat_sample& sample, const std::filesystem::path& directory) {
    const journal_status& status = sample.status;
    exposition out{directory};
    out.only("up", "gauge", "1 while a writer holds the journal.", status.locked ? 1 : 0);
    out.begin("state", "gauge", "1 for the state that the last writer reported.");
    out.value(1, fmt::format("state=\"{}\"", to_string(status.state)));
    out.only("heartbeat_timestamp_seconds", "gauge", "When the writer's background last reported.",
             static_cast<double>(status.heartbeat_ns) / ns_per_s);
    out.only("opened_timestamp_seconds", "gauge", "When the last writer was opened.",
             static_cast<double>(status.opened_ns) / ns_per_s);
    out.only("published_sequence", "gauge", "Events below it are visible to readers.",
             status.published);
    out.only("durable_sequence", "gauge", "Events below it survive a power cut.", status.durable);
    out.only("events_total", "counter", "Events appended since the writer was opened.",
             status.published - std::min(status.published, status.first_sequence));
    out.only("appended_bytes_total", "counter",
             "Bytes appended since the writer was opened, frames included.", status.appended_bytes);
    out.only("rollovers_total", "counter", "Segments that the writer has filled.",
             status.rollovers);
    out.only("back_pressure_total", "counter", "Appends that found the next segment not ready.",
             status.back_pressure);
    out.only("segments_ready", "gauge", "Segments prepared ahead of the writer.",
             status.segments_ready);
    out.only("segment_shortage_errno", "gauge",
             "Error number of the last attempt to prepare a segment, 0 if it succeeded.",
             status.shortage);
    out.only("poisoned_errno", "gauge", "Error number of the failure that ended the writer.",
             status.os_error);
    out.only("streams", "gauge", "Streams of the journal.", status.streams);
    put_sync_times(out, status);
    put_consumers(out, sample);
    put_counters(out, status);
    return out.text();
}

}  // namespace pawl::cli
