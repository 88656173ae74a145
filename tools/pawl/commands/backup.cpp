#include "backup/backup.hpp"

#include "backup/backup_lock.hpp"
#include "commands/commands.hpp"
#include "salvage/salvage.hpp"
#include "terminal/output.hpp"
#include "terminal/progress.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <pawl/journal/journal.hpp>

namespace pawl::cli {

exit_code backup_command(const backup_options& options) {
    const result<backup_report> report = [&] {
        progress line;
        return backup(options.directory, options.out,
                      [&](std::uint64_t done, std::uint64_t all) { line.show(done, all); });
    }();
    if (!report)
        return complain(report.error());
    for (const error& why : report->unreadable_consumers)
        complain("notice: a consumer is not in the backup: " + why.message());
    if (options.json) {
        put_json({{"directory", options.directory.string()},
                  {"backup", (options.out / current_backup).string()},
                  {"first_sequence", report->first_sequence},
                  {"next_sequence", report->next_sequence},
                  {"copied_segments", report->copied_segments},
                  {"copied_bytes", report->copied_bytes},
                  {"kept_segments", report->kept_segments},
                  {"consumers", report->consumers},
                  {"digest", fmt::format("{:016x}", report->digest)}});
        return success;
    }
    put(fmt::format(
        "events     sequence {} up to {}: all that are durable\n"
        "copied     {} bytes in {} segments, each read again and found to hold the same\n"
        "kept       {} segments that the last backup had already\n"
        "consumers  {}\n"
        "The backup is in {}\n",
        report->first_sequence, report->next_sequence, report->copied_bytes,
        report->copied_segments, report->kept_segments, report->consumers,
        (options.out / current_backup).string()));
    return success;
}

namespace {

void put_restored(const restore_report& report, const restore_options& options) {
    if (options.json) {
        put_json({{"backup", (options.out / current_backup).string()},
                  {"directory", options.directory.string()},
                  {"as_new", options.as_new},
                  {"id", id_text(report.id)},
                  {"first_sequence", report.first_sequence},
                  {"next_sequence", report.next_sequence}});
        return;
    }
    put(
        fmt::format("restored   sequence {} up to {}, every byte verified\n"
                    "id         {}\n",
                    report.first_sequence, report.next_sequence, id_text(report.id)));
}

// A copy made event by event has an identity of its own.
exit_code restore_as_new(const restore_options& options) {
    const std::filesystem::path from = options.out / current_backup;
    const auto lock = backup_lock::take(options.out, backup_lock::to::read);
    if (!lock)
        return complain(lock.error());
    const auto held = inspect(from);
    if (!held)
        return complain(held.error());
    if (held->first_sequence != 0) {
        complain(
            "invalid_argument: the journal was pruned, and a new one cannot begin after "
            "sequence 0; restore it without --as-new");
        return failure;
    }
    const result<salvage_report> made = [&] {
        progress line;
        return salvage(from, options.directory,
                       [&](std::uint64_t done, std::uint64_t all) { line.show(done, all); });
    }();
    if (!made)
        return complain(made.error());
    for (const finding& found : made->source.findings)
        if (found.damage || found.unreadable)
            return complain(found.what);
    const auto verified = verify(options.directory);
    if (!verified)
        return complain(verified.error());
    if (!verified->sound())
        return complain(verified->findings.front().what);
    put_restored({.next_sequence = verified->next_sequence, .id = verified->id}, options);
    return success;
}

}  // namespace

exit_code restore_command(const restore_options& options) {
    if (options.as_new)
        return restore_as_new(options);
    const result<restore_report> report = [&] {
        progress line;
        return restore(options.out, options.directory,
                       [&](std::uint64_t done, std::uint64_t all) { line.show(done, all); });
    }();
    if (!report)
        return complain(report.error());
    put_restored(*report, options);
    complain(
        "notice: this is the same journal as the one that was backed up. If both are "
        "written, their events get the same sequences; --as-new makes a journal of its own");
    return success;
}

}  // namespace pawl::cli
