#include "tool/other_program.hpp"
#include "tool/tool_arguments.hpp"
#include "tool/tool_report.hpp"

#include <pawl/codec/utc_time.hpp>
#include <pawl/replay/snapshot_audit.hpp>
#include <pawl/replay/tool_main.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>

namespace pawl {

namespace {

using detail::to_json;
using detail::to_lines;
using detail::tool_arguments;
using detail::tool_fold;
using detail::tool_report;

constexpr int exit_finding = 1;
constexpr int exit_wrong_usage = 2;

// What a command found, and the exit status that it means.
struct tool_outcome {
    tool_report report{};
    int exit_status = 0;
};

struct tool_action {
    detail::tool_usage usage;
    std::string_view description;
    result<tool_outcome> (*run)(const tool_fold& fold, const tool_arguments& asked);
};

[[nodiscard]] result<tool_outcome> report_of(result<detail::tool_state> found) {
    if (!found)
        return std::unexpected(std::move(found.error()));
    detail::tool_state& at = *found;
    const auto& used = at.report.used;
    tool_report report{{"snapshot", used ? used->path.filename().string() : std::string{"none"}},
                       {"restored", at.report.message()},
                       {"next_sequence", at.progress.point.next}};
    std::ranges::move(at.fields, std::back_inserter(report));
    if (at.digest)
        report.push_back({"digest", detail::hexadecimal(*at.digest)});
    return tool_outcome{.report = std::move(report)};
}

[[nodiscard]] result<tool_outcome> run_state(const tool_fold& fold, const tool_arguments& asked) {
    return report_of(fold.state(asked.directory, !asked.full, asked.before));
}

[[nodiscard]] result<tool_outcome> run_as_of(const tool_fold& fold, const tool_arguments& asked) {
    const auto place = parse_as_of_place(asked.directory, asked.place);
    if (!place)
        return std::unexpected(place.error());
    return report_of(fold.as_of(asked.directory, *place));
}

[[nodiscard]] std::string line_of(const snapshot_info& snapshot) {
    std::string made;
    append_utc(made, snapshot.created_ns);
    return snapshot.path.filename().string() + ", " + std::to_string(snapshot.payload_bytes) +
           " bytes, " + made;
}

[[nodiscard]] std::vector<std::string> lines_of(const std::vector<rejected_snapshot>& rejected) {
    std::vector<std::string> lines;
    lines.reserve(rejected.size());
    for (const rejected_snapshot& each : rejected)
        lines.push_back(each.path.filename().string() + ": " + each.why.message());
    return lines;
}

[[nodiscard]] std::vector<std::string> lines_of(const std::vector<snapshot_info>& snapshots) {
    std::vector<std::string> lines;
    lines.reserve(snapshots.size());
    for (const snapshot_info& each : snapshots)
        lines.push_back(line_of(each));
    return lines;
}

[[nodiscard]] result<tool_outcome> run_snapshot_list(const tool_fold&,
                                                     const tool_arguments& asked) {
    const auto list = list_snapshots(asked.directory);
    if (!list)
        return std::unexpected(list.error());
    return tool_outcome{
        .report = {{"snapshot", lines_of(list->snapshots)}, {"unusable", lines_of(list->rejected)}},
        .exit_status = list->rejected.empty() ? 0 : exit_finding};
}

[[nodiscard]] std::unexpected<error> has_no_digest(const tool_fold& fold) {
    return fail(errc::invalid_argument,
                "the fold " + std::string{fold.name} + " has no digest of its states");
}

[[nodiscard]] result<tool_outcome> run_snapshot_verify(const tool_fold& fold,
                                                       const tool_arguments& asked) {
    if (fold.check == nullptr)
        return has_no_digest(fold);
    const auto check = fold.check(asked.directory);
    if (!check)
        return std::unexpected(check.error());
    tool_outcome done{
        .report = {{"sound", lines_of(check->sound)}, {"rejected", lines_of(check->rejected)}},
        .exit_status = check->rejected.empty() ? 0 : exit_finding};
    if (check->trusted)
        done.report.push_back({"not_compared", line_of(*check->trusted)});
    return done;
}

[[nodiscard]] error file_error(const std::string& file, const char* what) {
    return {.code = errc::io, .file = file, .detail = what};
}

// "-" is standard output, for a program that runs this one.
[[nodiscard]] result<tool_outcome> record(const tool_fold& fold, const tool_arguments& asked) {
    const auto marks =
        fold.record(asked.directory, {.every = asked.every, .from = asked.from, .to = asked.to});
    if (!marks)
        return std::unexpected(marks.error());
    if (asked.marks == "-")
        return tool_outcome{.exit_status = detail::print_tool_text(to_text(*marks), 0)};
    std::ofstream out{asked.marks, std::ios::trunc};
    out << to_text(*marks) << std::flush;
    if (!out)
        return std::unexpected(file_error(asked.marks, "cannot write the recording"));
    return tool_outcome{.report = {{"recorded", marks->size()}}};
}

[[nodiscard]] tool_outcome report_of(const replay_comparison& check) {
    return {.report = {{"same", std::string{check.same() ? "true" : "false"}},
                       {"marks", check.marks},
                       {"result", check.message()}},
            .exit_status = check.same() ? 0 : exit_finding};
}

// What the other program says of the same journal.
[[nodiscard]] result<std::string> ask(const tool_arguments& asked, std::vector<std::string> words) {
    words.insert(words.begin(), asked.against);
    if (!asked.fold.empty()) {
        words.emplace_back("--fold");
        words.push_back(asked.fold);
    }
    return detail::output_of(words);
}

// The lines of a printed state, without how it was restored.
[[nodiscard]] std::vector<std::string> state_lines(std::string_view text) {
    std::vector<std::string> lines;
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        const std::string_view line = text.substr(0, end);
        if (!line.starts_with("snapshot ") && !line.starts_with("restored "))
            lines.emplace_back(line);
        text.remove_prefix(end + 1);
    }
    return lines;
}

[[nodiscard]] result<std::vector<std::string>> differences(const tool_fold& fold,
                                                           const tool_arguments& asked,
                                                           sequence_number before) {
    const auto theirs =
        ask(asked, {"state", asked.directory, "--full", "--before", std::to_string(before)});
    if (!theirs)
        return std::unexpected(theirs.error());
    const auto ours = report_of(fold.state(asked.directory, false, before));
    if (!ours)
        return std::unexpected(ours.error());
    return difference({{"state", state_lines(*theirs)}},
                      {{"state", state_lines(to_lines(ours->report))}});
}

[[nodiscard]] result<tool_outcome> check_against(const tool_fold& fold,
                                                 const tool_arguments& asked) {
    const auto recorder = [&](const replay_recording& how) -> result<std::vector<state_mark>> {
        const auto text = ask(asked, {"replay-check", asked.directory, "-", "--record", "--every",
                                      std::to_string(how.every), "--from", std::to_string(how.from),
                                      "--to", std::to_string(how.to)});
        if (!text)
            return std::unexpected(text.error());
        return parse_state_marks(*text);
    };
    const auto check = fold.find(asked.directory, recorder,
                                 {.every = asked.every, .from = asked.from, .to = asked.to});
    if (!check)
        return std::unexpected(check.error());
    tool_outcome done = report_of(*check);
    if (check->same())
        return done;
    auto lines = differences(fold, asked, check->parted->recorded.sequence);
    if (!lines)
        return std::unexpected(std::move(lines.error()));
    done.report.push_back({"difference", std::move(*lines)});
    return done;
}

[[nodiscard]] result<tool_outcome> run_replay_check(const tool_fold& fold,
                                                    const tool_arguments& asked) {
    if (fold.record == nullptr)
        return has_no_digest(fold);
    if (!asked.against.empty())
        return check_against(fold, asked);
    if (asked.record)
        return record(fold, asked);
    std::ifstream in{asked.marks};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (!in.is_open())
        return std::unexpected(file_error(asked.marks, "cannot read the recording"));
    auto marks = parse_state_marks(text);
    if (!marks) {
        marks.error().file = asked.marks;
        return std::unexpected(std::move(marks.error()));
    }
    const auto check = fold.compare(asked.directory, *marks);
    if (!check)
        return std::unexpected(check.error());
    return report_of(*check);
}

constexpr tool_action actions[] = {
    {{"state", "", "--full --before"},
     "print the state at the end of the journal; with --full from event 0, without snapshots; with "
     "--before SEQUENCE after "
     "the events below that",
     run_state},
    {{"as-of", "PLACE", ""},
     "print the state as it was at a sequence, a time such as 2026-11-28T14:02:00, or one of the "
     "journal's last day, as 14:02:00; in UTC",
     run_as_of},
    {{"snapshot list", "", ""},
     "list the snapshots of the journal, newest first",
     run_snapshot_list},
    {{"snapshot verify", "", ""},
     "compare this program's snapshots with what it makes of the events",
     run_snapshot_verify},
    {{"replay-check", "MARKS", "--against --record --every --from --to"},
     "compare the states with those that another version recorded in the file MARKS, or with "
     "--against PROGRAM those that it makes now, down to the first event at which they part; with "
     "--record "
     "make the recording, a mark every 10000 events or --every N, between the sequences --from and "
     "--to",
     run_replay_check},
};

[[nodiscard]] std::string usage_of(std::string_view program, const tool_action& action) {
    std::string text =
        "usage: " + std::string{program} + ' ' + std::string{action.usage.words} + " DIR";
    if (!action.usage.further.empty())
        text += ' ' + std::string{action.usage.further};
    if (!action.usage.options.empty())
        text += " [" + std::string{action.usage.options} + ']';
    return text + " [--fold NAME] [--json]\n  " + std::string{action.description} + '\n';
}

[[nodiscard]] std::string usage_of_all(std::string_view program) {
    std::string text;
    for (const tool_action& each : actions)
        text += usage_of(program, each);
    return text;
}

int complain(std::string_view program, const std::string& what, int exit_status) {
    std::fputs((std::string{program} + ": " + what + '\n').c_str(), stderr);
    return exit_status;
}

// The action that the first words name, and how many words that took.
[[nodiscard]] const tool_action* find_action(std::span<const char* const> words,
                                             std::size_t& taken) {
    for (const tool_action& each : actions) {
        const std::string_view first = words[0];
        const std::size_t space = each.usage.words.find(' ');
        taken = space == std::string_view::npos ? 1 : 2;
        if (first == each.usage.words.substr(0, space) &&
            (taken == 1 || (words.size() > 1 && words[1] == each.usage.words.substr(space + 1))))
            return &each;
    }
    return nullptr;
}

[[nodiscard]] int run(std::string_view program, std::span<const char* const> words,
                      std::span<const tool_fold> folds) {
    std::size_t taken = 0;
    const tool_action* action = words.empty() ? nullptr : find_action(words, taken);
    if (action == nullptr && !words.empty() && std::string_view{words.back()} == "--help")
        return detail::print_tool_text(usage_of_all(program), 0);
    if (action == nullptr)
        return complain(program, "no such command\n" + usage_of_all(program), exit_wrong_usage);
    tool_arguments asked;
    if (const auto wrong = detail::parse_tool_arguments(action->usage, words.subspan(taken), asked))
        return complain(program, *wrong + '\n' + usage_of(program, *action), exit_wrong_usage);
    if (asked.help)
        return detail::print_tool_text(usage_of(program, *action), 0);
    const auto fold =
        asked.fold.empty() ? folds.begin() : std::ranges::find(folds, asked.fold, &tool_fold::name);
    if (fold == folds.end())
        return complain(program, "no fold has the name " + asked.fold, exit_wrong_usage);
    const auto done = action->run(*fold, asked);
    if (!done)
        return complain(program, done.error().message(), exit_finding);
    return detail::print_tool_text(asked.json ? to_json(done->report) : to_lines(done->report),
                                   done->exit_status);
}

}  // namespace

std::span<const tool_command> tool_commands() noexcept {
    static constexpr tool_command commands[] = {
        {"state", "Print the state at the end of the journal"},
        {"as-of", "Print the state as it was at a sequence or a time"},
        {"snapshot", "List the snapshots, or verify them"},
        {"replay-check", "Compare the states with those of another version"},
    };
    return commands;
}

int detail::run_tool(int argc, const char* const* argv, std::span<const tool_fold> folds) noexcept {
    const std::string_view program = argc > 0 ? argv[0] : "";
    const std::string_view name = program.substr(program.rfind('/') + 1);
    try {
        const auto words = std::span{argv, static_cast<std::size_t>(std::max(argc, 0))};
        return run(name, words.subspan(std::min<std::size_t>(words.size(), 1)), folds);
    } catch (const std::exception& failed) {
        std::fprintf(stderr, "%s: %s\n", name.data(), failed.what());
        return exit_finding;
    }
}

}  // namespace pawl
