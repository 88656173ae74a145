#include "commands/commands.hpp"
#include "commands/recovery_json.hpp"
#include "terminal/output.hpp"
#include "terminal/progress.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/truncate.hpp>

#include <cctype>
#include <cstddef>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

namespace pawl::cli {

namespace {

// Of 32 hexadecimal digits.
std::optional<journal_id> id_of(const std::string& text) {
    journal_id id{};
    if (text.size() != 2 * id.size())
        return std::nullopt;
    for (std::size_t i = 0; i < id.size(); ++i) {
        const std::string digits = text.substr(2 * i, 2);
        if (std::isxdigit(static_cast<unsigned char>(digits[0])) == 0 ||
            std::isxdigit(static_cast<unsigned char>(digits[1])) == 0)
            return std::nullopt;
        constexpr int hexadecimal = 16;
        id[i] = static_cast<std::uint8_t>(std::stoul(digits, nullptr, hexadecimal));
    }
    return id;
}

// Consumers that have handled events that are to go.
std::vector<std::string> consumers_ahead(const recover_command_options& options) {
    std::vector<std::string> names;
    if (const auto list = list_consumers(options.directory)) {
        for (const consumer_info& each : list->consumers)
            if (each.position.point.next > *options.truncate_before)
                names.push_back(each.name);
    }
    return names;
}

std::string plan_text(const truncate_plan& plan, const recover_command_options& options) {
    if (plan.done_before)
        return fmt::format("The log ends before event {} already: there is nothing to cut.\n\n",
                           plan.before);
    std::string text = fmt::format(
        "This cuts the log of {} before event {}:\n\n"
        "  It will end with event {}, in {} at byte {}.\n"
        "  {} events that can be read now will be gone.\n",
        options.directory.string(), plan.before, plan.before - 1, segment_file(plan.cut.ordinal),
        plan.cut.offset, plan.events);
    text += plan.durable > plan.before
                ? fmt::format(
                      "  THEY WERE ACKNOWLEDGED AS DURABLE, up to event {}: whoever acted on one\n"
                      "  of them knows something that the log will no longer say.\n",
                      plan.durable - 1)
                : std::string{"  The control file does not prove that any of them was durable.\n"};
    for (const std::string& name : consumers_ahead(options))
        text += fmt::format("  Consumer {} has handled some of them, and must be dropped.\n", name);
    text += fmt::format("  What is cut is kept below torn/truncated-{}{}\n", plan.before,
                        plan.to_keep.empty() ? "." : ":");
    for (const std::string& name : plan.to_keep)
        text += fmt::format("    {}\n", name);
    return text + "\n";
}

nlohmann::ordered_json to_json(const truncate_report& report,
                               const recover_command_options& options) {
    return {{"directory", options.directory.string()},
            {"id", id_text(report.plan.id)},
            {"truncate_before", report.plan.before},
            {"dry_run", options.dry_run},
            {"done_before", report.plan.done_before},
            {"cut", {{"segment", report.plan.cut.ordinal}, {"offset", report.plan.cut.offset}}},
            {"events", report.plan.events},
            {"durable", report.plan.durable},
            {"consumers_ahead", consumers_ahead(options)},
            {"to_keep", report.plan.to_keep},
            {"kept", report.kept},
            {"recovery", options.dry_run ? nlohmann::ordered_json(nullptr)
                                         : recovery_json(report.recovery, options.directory)}};
}

std::string to_text(const truncate_report& report) {
    std::string text;
    for (const std::string& file : report.kept)
        text += fmt::format("kept       {}\n", file);
    return text + fmt::format(
                      "events     the next one gets sequence {}\n"
                      "the journal is whole and closed; all of it is on disk\n",
                      report.recovery.next_sequence);
}

result<truncate_report> run(const recover_command_options& options, truncate_options how) {
    how.before = *options.truncate_before;
    how.allow_network_file_system = options.allow_network_file_system;
    progress shown;
    how.progress = [&](std::uint64_t done, std::uint64_t all) { shown.show(done, all); };
    return truncate(options.directory, how);
}

// The plan, and what the person types.
result<std::optional<journal_id>> ask(const recover_command_options& options) {
    const auto planned = run(options, {.dry_run = true});
    if (!planned)
        return std::unexpected(planned.error());
    put(plan_text(planned->plan, options));
    if (planned->plan.done_before)
        return planned->plan.id;
    put(fmt::format("The journal's id is {}.\nType it to cut the log: ",
                    id_text(planned->plan.id)));
    (void)finish_output(success);
    std::string typed;
    std::getline(std::cin, typed);
    return id_of(typed);
}

}  // namespace

exit_code force_truncate_command(const recover_command_options& options) {
    if (options.dry_run) {
        const auto planned = run(options, {.dry_run = true});
        if (!planned)
            return complain(planned.error());
        if (options.json)
            put_json(to_json(*planned, options));
        else
            put(plan_text(planned->plan, options) + "dry run: nothing was changed\n");
        return success;
    }
    std::optional<journal_id> confirmed;
    if (!options.confirm.empty()) {
        confirmed = id_of(options.confirm);
    } else if (isatty(STDIN_FILENO) == 1 && !options.json) {
        auto asked = ask(options);
        if (!asked)
            return complain(asked.error());
        confirmed = *asked;
    } else {
        complain(
            "--force-truncate needs --confirm ID without a terminal; `pawl info` shows the id");
        return wrong_usage;
    }
    if (!confirmed) {
        complain("that is no journal's id, which has 32 hexadecimal digits; nothing was changed");
        return wrong_usage;
    }
    truncate_options how{.confirm = *confirmed};
    if (!options.json && !options.confirm.empty())
        how.plan = [&](const truncate_plan& plan) { put(plan_text(plan, options)); };
    const auto report = run(options, std::move(how));
    if (!report)
        return complain(report.error());
    if (options.json)
        put_json(to_json(*report, options));
    else
        put(to_text(*report));
    return success;
}

}  // namespace pawl::cli
