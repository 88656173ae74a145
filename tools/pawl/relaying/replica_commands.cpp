#include "relaying/nats_arguments.hpp"
#include "terminal/interrupt.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <relay/copy_stream.hpp>

#include <pawl/replay/log_digest.hpp>

#include <string>

namespace pawl::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 30s;  // of servers that cannot be reached

[[nodiscard]] result<log_digest> digest_of(const std::filesystem::path& directory,
                                           bool allow_network_file_system) {
    auto events = cursor::open(directory, {.allow_network_file_system = allow_network_file_system});
    if (!events)
        return std::unexpected(std::move(events.error()));
    log_digest digest;
    const auto read = events->for_each([&](const event& e) { digest.add(e); });
    return read ? result<log_digest>{digest} : std::unexpected(read.error());
}

void complain_of_incomplete(const relay::copy_report& report) {
    if (report.incomplete != 0)
        complain(
            fmt::format("notice: the stream ends with {} events of a batch that is not whole; "
                        "they are not in the copy",
                        report.incomplete));
}

}  // namespace

exit_code restore_stream_command(const restore_options& options) {
    catch_interrupts();
    const auto report =
        relay::copy_stream({.nats = nats_options_of(options.from),
                            .directory = options.out,
                            .give_up = patience,
                            .allow_network_file_system = options.allow_network_file_system,
                            .stop = interrupted,
                            .on_failure = retry_notice{}});
    if (!report)
        return complain(report.error());
    if (interrupted()) {
        complain("interrupted; run the same command again to continue");
        return failure;
    }
    const auto digest = digest_of(options.out, options.allow_network_file_system);
    if (!digest)
        return complain(digest.error());
    complain_of_incomplete(*report);
    const std::string digest_text = fmt::format("{:016x}", digest->value());
    if (options.json) {
        put_json({{"directory", options.out.string()},
                  {"stream", options.from.stream},
                  {"id", id_text(report->id)},
                  {"origin", id_text(report->origin)},
                  {"copied", report->next - report->first},
                  {"next_sequence", report->next},
                  {"incomplete", report->incomplete},
                  {"digest", digest_text}});
        return success;
    }
    put(
        fmt::format("restored   sequence 0 up to {}, {} of them now; each has its content hash\n"
                    "digest     {}\n"
                    "id         {}, of events of {}\n",
                    report->next, report->next - report->first, digest_text, id_text(report->id),
                    id_text(report->origin)));
    return success;
}

exit_code follow_command(const replica_command_options& options) {
    catch_interrupts();
    const auto report =
        relay::copy_stream({.nats = nats_options_of(options.from),
                            .directory = options.directory,
                            .follow = true,
                            .allow_network_file_system = options.allow_network_file_system,
                            .stop = interrupted,
                            .on_failure = retry_notice{}});
    if (!report)
        return complain(report.error());
    complain_of_incomplete(*report);
    if (options.json)
        put_json({{"directory", options.directory.string()},
                  {"stream", options.from.stream},
                  {"copied", report->next - report->first},
                  {"next_sequence", report->next},
                  {"incomplete", report->incomplete}});
    else
        put(fmt::format("copied     {} events; the copy ends before sequence {}\n",
                        report->next - report->first, report->next));
    return success;
}

exit_code promote_command(const replica_command_options& options) {
    catch_interrupts();
    const auto done =
        relay::promote({.nats = nats_options_of(options.from),
                        .directory = options.directory,
                        .give_up = patience,
                        .allow_network_file_system = options.allow_network_file_system,
                        .stop = interrupted,
                        .on_failure = retry_notice{}});
    if (!done)
        return complain(done.error());
    if (options.json) {
        put_json({{"directory", options.directory.string()},
                  {"stream", options.from.stream},
                  {"id", id_text(done->id)},
                  {"sequence", done->sequence},
                  {"abandoned", done->abandoned},
                  {"was_promoted", done->was_there}});
        return success;
    }
    put(
        fmt::format("promoted   by event {}{}\n"
                    "id         {}\n",
                    done->sequence, done->was_there ? ", which an earlier attempt published" : "",
                    id_text(done->id)));
    if (done->abandoned != 0)
        put(fmt::format("lost       {} events before it, of a batch that was never whole\n",
                        done->abandoned));
    return success;
}

}  // namespace pawl::cli
