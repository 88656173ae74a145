#include "commands/commands.hpp"
#include "stat/prometheus.hpp"
#include "stat/sample.hpp"
#include "terminal/interrupt.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace pawl::cli {

namespace {

constexpr std::uint64_t ns_per_s = 1'000'000'000;
constexpr double ns_per_us = 1e3;

nlohmann::ordered_json to_json(const stat_sample& sample, const std::optional<stat_rates>& rates,
                               const std::filesystem::path& directory) {
    const journal_status& status = sample.status;
    nlohmann::ordered_json json{{"directory", directory.string()},
                                {"id", id_text(status.id)},
                                {"taken_ns", sample.taken_ns},
                                {"state", to_string(status.state)},
                                {"locked", status.locked},
                                {"owner", status.owner},
                                {"heartbeat_ns", status.heartbeat_ns},
                                {"os_error", status.os_error},
                                {"published", status.published},
                                {"durable", status.durable},
                                {"opened_ns", status.opened_ns},
                                {"first_sequence", status.first_sequence},
                                {"appended_bytes", status.appended_bytes},
                                {"rollovers", status.rollovers},
                                {"back_pressure", status.back_pressure},
                                {"segments_ready", status.segments_ready},
                                {"shortage", status.shortage},
                                {"populated_bytes", status.populated_bytes},
                                {"streams", status.streams},
                                {"syncs", status.syncs},
                                {"sync_ns", status.sync_ns},
                                {"longest_sync_ns", status.longest_sync_ns},
                                {"sync_times", status.sync_times},
                                {"counters", nlohmann::ordered_json::array()},
                                {"consumers", nlohmann::ordered_json::array()},
                                {"projections", nlohmann::ordered_json::array()},
                                {"rates", nullptr}};
    for (std::size_t i = 0; i < status.counters.size(); ++i) {
        const named_count& each = status.counters[i];
        nlohmann::ordered_json one{{"name", each.name},
                                   {"kind", each.kind == counter_kind::total ? "total" : "gauge"},
                                   {"value", each.value}};
        if (rates && each.kind == counter_kind::total)
            one["per_second"] = rates->counters[i];
        json["counters"].push_back(std::move(one));
    }
    for (const consumer_info& each : sample.consumers.consumers) {
        const lag behind = lag_of(each, sample);
        nlohmann::ordered_json one{
            {"name", each.name}, {"lag_events", behind.events}, {"lag_ns", nullptr}};
        if (behind.ns)
            one["lag_ns"] = *behind.ns;
        json["consumers"].push_back(std::move(one));
    }
    for (const projection_info& each : sample.projections) {
        json["projections"].push_back({{"name", each.name},
                                       {"version", each.version},
                                       {"state", to_string(each.state)},
                                       {"next_sequence", each.next},
                                       {"parked", each.parked.size()},
                                       {"stopped", each.stopped}});
    }
    if (rates) {
        json["rates"] = {{"seconds", rates->seconds},
                         {"events", rates->events},
                         {"bytes", rates->bytes},
                         {"syncs", rates->syncs}};
    }
    return json;
}

std::string errors_text(const journal_status& status) {
    if (status.state == journal_state::poisoned)
        return fmt::format("the writer was ended by: {}", status.os_error == 0
                                                              ? "damage, or a file that is gone"
                                                              : std::strerror(status.os_error));
    if (status.shortage != 0)
        return fmt::format("no room for the next segment: {}", std::strerror(status.shortage));
    return "none";
}

std::string state_text(const stat_sample& sample) {
    const journal_status& status = sample.status;
    const std::uint64_t age = heartbeat_age_ns(sample);
    std::string text{to_string(status.state)};
    text += status.locked ? "; a writer holds it" : "; nobody holds it";
    if (status.locked && age > ns_per_s)
        text += fmt::format(", BUT HAS NOT REPORTED FOR {} s", age / ns_per_s);
    return text;
}

// One line for each length that occurs, with a bar as long as its share.
std::string sync_times_text(const journal_status& status) {
    constexpr double columns = 40;
    const std::uint64_t most = *std::ranges::max_element(status.sync_times);
    std::string text;
    std::uint64_t bound_us = 1;
    for (std::size_t i = 0; i < status.sync_times.size(); ++i, bound_us *= 2) {
        const std::uint64_t syncs = status.sync_times[i];
        if (syncs == 0)
            continue;
        const double share = static_cast<double>(syncs) / static_cast<double>(most);
        const bool last = i + 1 == status.sync_times.size();
        text += fmt::format("{:>11} {:>9} us  {:>10}  {}\n", last ? "at least" : "below",
                            last ? bound_us / 2 : bound_us, syncs,
                            std::string(static_cast<std::size_t>(share * columns), '#'));
    }
    return text;
}

std::string readers_text(const stat_sample& sample) {
    std::string text;
    for (const consumer_info& each : sample.consumers.consumers)
        text += fmt::format("consumer   {}: lags {}\n", each.name, lag_text(lag_of(each, sample)));
    for (const unreadable_consumer& each : sample.consumers.unreadable)
        text += fmt::format("consumer   {}: cannot be read\n", each.name);
    for (const projection_info& each : sample.projections) {
        text += fmt::format("projection {} {}: {}, at {}, {} parked{}\n", each.name, each.version,
                            to_string(each.state), each.next, each.parked.size(),
                            each.stopped.empty() ? "" : ", STOPPED");
    }
    return text;
}

std::string counters_text(const journal_status& status, const std::optional<stat_rates>& rates) {
    std::string text;
    for (std::size_t i = 0; i < status.counters.size(); ++i) {
        const named_count& each = status.counters[i];
        text += fmt::format("{:<39} {:>16}", each.name, each.value);
        if (rates && each.kind == counter_kind::total)
            text += fmt::format("  {:>12.1f}/s", rates->counters[i]);
        text += '\n';
    }
    return text;
}

std::string to_text(const stat_sample& sample, const std::optional<stat_rates>& rates,
                    const std::filesystem::path& directory) {
    constexpr double mebibyte = 1 << 20;
    const journal_status& status = sample.status;
    std::string text = fmt::format(
        "journal    {}\n"
        "state      {}\n"
        "errors     {}\n"
        "published  {}\n"
        "durable    {}, {} fewer\n",
        directory.string(), state_text(sample), errors_text(status), status.published,
        status.durable, status.published - status.durable);
    if (status.opened_ns == 0)
        return text +
               "An earlier version of Pawl wrote this journal last: nothing more is known.\n" +
               readers_text(sample);
    text += fmt::format(
        "opened     {}; since then {} events, {:.1f} MiB\n"
        "segments   {} ready, {} filled, {} appends waited for one\n"
        "streams    {}\n",
        time_text(status.opened_ns), status.published - status.first_sequence,
        static_cast<double>(status.appended_bytes) / mebibyte, status.segments_ready,
        status.rollovers, status.back_pressure, status.streams);
    if (rates)
        text += fmt::format(
            "rate       {:.0f} events/s, {:.2f} MiB/s, {:.0f} syncs/s, in the last {:.1f} s\n",
            rates->events, rates->bytes / mebibyte, rates->syncs, rates->seconds);
    text += fmt::format("syncs      {}", status.syncs);
    if (status.syncs != 0) {
        text += fmt::format("; half below {:.0f} us, 99 % below {:.0f} us, longest {:.0f} us\n",
                            sync_quantile_us(status, 0.5), sync_quantile_us(status, 0.99),
                            static_cast<double>(status.longest_sync_ns) / ns_per_us);
        text += sync_times_text(status);
    } else {
        text += '\n';
    }
    return text + readers_text(sample) + counters_text(status, rates);
}

// Whole or not at all, as a collector that reads it at any moment needs it.
exit_code write_textfile(const std::filesystem::path& file, const std::string& text) {
    const std::filesystem::path fresh = file.string() + ".tmp";
    std::ofstream out{fresh, std::ios::binary | std::ios::trunc};
    out << text;
    out.close();
    std::error_code failed;
    if (out)
        std::filesystem::rename(fresh, file, failed);
    if (out && !failed)
        return success;
    complain(fmt::format("cannot write {}: {}", file.string(),
                         failed ? failed.message() : std::strerror(errno)));
    return failure;
}

exit_code show(const stat_sample& sample, const std::optional<stat_rates>& rates,
               const stat_options& options, bool screen) {
    if (!options.textfile.empty())
        return write_textfile(options.textfile, prometheus_text(sample, options.directory));
    if (options.prometheus) {
        put(prometheus_text(sample, options.directory));
    } else if (options.json) {
        const auto json = to_json(sample, rates, options.directory);
        if (options.watch)
            put(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n');
        else
            put_json(json);
    } else {
        // Home, and clear what the last, longer screen has left.
        put(screen ? "\x1b[H\x1b[J" : "");
        put(to_text(sample, rates, options.directory));
        put(options.watch && !screen ? "\n" : "");
    }
    return finish_output(success);
}

// Sleeps in steps, so that Ctrl-C is noticed soon.
void pause_for(double seconds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>{seconds};
    constexpr std::chrono::milliseconds step{50};
    while (!interrupted() && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(step);
}

exit_code watch(const stat_options& options, stat_sample before) {
    const bool screen =
        options.textfile.empty() && !options.prometheus && isatty(STDOUT_FILENO) == 1;
    catch_interrupts();
    exit_code code = show(before, std::nullopt, options, screen);
    for (std::uint64_t shown = 1; code == success && !interrupted(); ++shown) {
        if (options.count != 0 && shown >= options.count)
            break;
        pause_for(options.interval_s);
        if (interrupted())
            break;
        auto now = take_sample(options.directory, options.projections);
        if (!now)
            return complain(now.error());
        code = show(*now, rates_between(before, *now), options, screen);
        before = std::move(*now);
    }
    return code;
}

}  // namespace

exit_code stat_command(const stat_options& options) {
    auto first = take_sample(options.directory, options.projections);
    if (!first)
        return complain(first.error());
    if (options.watch)
        return watch(options, std::move(*first));
    if (options.prometheus || !options.textfile.empty() || !first->status.locked)
        return show(*first, std::nullopt, options, false);
    constexpr double until_second_s = 0.5;
    pause_for(until_second_s);
    const auto second = take_sample(options.directory, options.projections);
    if (!second)
        return complain(second.error());
    return show(*second, rates_between(*first, *second), options, false);
}

}  // namespace pawl::cli
