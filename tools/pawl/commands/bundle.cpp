#include "bundle/own_report.hpp"
#include "bundle/tar_file.hpp"
#include "commands/commands.hpp"
#include "terminal/output.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/utsname.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace pawl::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view readme =
    "What `pawl bundle` has collected of a journal, to be sent with a report of a bug.\n"
    "It holds no payload of an event and no metadata. It does hold the names of event types,\n"
    "consumers, the host and the program that wrote the journal, and numbers of streams.\n\n"
    "*.json, *.txt  what the command of that name printed; commands.txt has the exit codes\n"
    "files.txt      every file of the directory, with its size and time\n"
    "frames.txt     the last thousand events: places, types and sizes\n"
    "headers/       journal.pawl, control, and the beginning of each segment and index\n";

// The beginning of a file, empty if it cannot be read.
std::string beginning_of(const fs::path& file, std::size_t bytes) {
    std::string text(bytes, '\0');
    std::ifstream in{file, std::ios::binary};
    in.read(text.data(), static_cast<std::streamsize>(bytes));
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    return text;
}

class collector {
  public:
    collector(tar_file& to, const fs::path& directory) : to_{to}, directory_{directory} {}

    [[nodiscard]] result<void> add(const std::string& name, std::string_view text) {
        names_.push_back(name);
        return to_.add("pawl-bundle/" + name, text);
    }
    [[nodiscard]] result<void> add_reports(bool verify);
    [[nodiscard]] result<void> add_files();
    [[nodiscard]] result<void> add_frames();
    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

  private:
    [[nodiscard]] result<void> add_headers(const std::vector<fs::path>& files);

    tar_file& to_;
    const fs::path& directory_;
    std::vector<std::string> names_;
};

result<void> collector::add_reports(bool verify) {
    struct asked {
        const char* file;
        std::vector<std::string> command;
    };
    std::vector<asked> all{{"version.txt", {"--version"}},
                           {"info.json", {"info", "--json"}},
                           {"stat.json", {"stat", "--json"}},
                           {"clock.json", {"clock", "--reports", "--json"}},
                           {"types.json", {"types", "--json"}},
                           {"consumers.json", {"consumers", "--json"}},
                           {"recover-dry-run.json", {"recover", "--dry-run", "--json"}}};
    if (verify)
        all.push_back({"verify.json", {"verify", "--deep", "--json"}});
    std::string codes;
    for (asked& each : all) {
        if (each.command.front() != "--version")
            each.command.push_back(directory_.string());
        const auto report = run_self(each.command);
        if (!report)
            return std::unexpected(report.error());
        codes += fmt::format("{:<22} {}\n", each.file, report->exit_code);
        if (auto added = add(each.file, report->text); !added)
            return added;
    }
    utsname system{};
    if (::uname(&system) == 0)
        codes += fmt::format("\n{} {} {}\n", system.sysname, system.release, system.machine);
    return add("commands.txt", codes);
}

result<void> collector::add_files() {
    std::string list;
    std::vector<fs::path> headed;
    std::error_code failed;
    for (fs::recursive_directory_iterator at{directory_, failed}, end; !failed && at != end;
         at.increment(failed)) {
        std::error_code ignored;
        const auto time = fs::last_write_time(at->path(), ignored);
        list += fmt::format(
            "{:>14} {:%Y-%m-%dT%H:%M:%S}Z {}\n",
            at->is_regular_file(ignored) ? at->file_size(ignored) : 0,
            fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::file_clock::to_sys(
                std::chrono::time_point_cast<std::chrono::seconds>(time)))),
            at->path().lexically_relative(directory_).string());
        if (at->path().parent_path() == directory_)
            headed.push_back(at->path());
    }
    if (failed)
        list += failed.message() + '\n';
    if (auto added = add("files.txt", list); !added)
        return added;
    std::ranges::sort(headed);
    return add_headers(headed);
}

// Of a segment, the two copies of its header, which lie before its first frame; of an index, its
// header. The newest segments of a journal with very many.
result<void> collector::add_headers(const std::vector<fs::path>& files) {
    constexpr std::size_t segment_header = 8192;
    constexpr std::size_t index_header = 256;
    constexpr std::size_t control_file = 16384;
    constexpr std::size_t most = 1000;
    std::size_t left = files.size();
    for (const fs::path& file : files) {
        const std::string name = file.filename();
        const std::string extension = file.extension();
        const std::size_t bytes = extension == ".seg"                           ? segment_header
                                  : extension == ".idx"                         ? index_header
                                  : name == "control" || name == "journal.pawl" ? control_file
                                                                                : 0;
        if (bytes == 0 || (--left >= most && !extension.empty() && extension != ".pawl"))
            continue;
        if (auto added = add("headers/" + name, beginning_of(file, bytes)); !added)
            return added;
    }
    return {};
}

result<void> collector::add_frames() {
    constexpr sequence_number last = 1000;
    std::string text = "sequence  time  stream@version  type/schema  bytes  segment:offset\n";
    const auto end =
        cursor::open(directory_, {.from = from_end{}, .allow_network_file_system = true});
    const sequence_number next = end ? end->next_sequence() : 0;
    auto events =
        end && next != 0
            ? cursor::open(directory_, {.from = from_sequence{next - std::min(next, last)},
                                        .allow_network_file_system = true})
            : cursor::open(directory_, {.allow_network_file_system = true});
    while (const event* e = events ? events->next() : nullptr) {
        text += fmt::format("{}  {}  {}@{}  {}/{}  {}+{}{}  {}:{}\n", e->sequence(),
                            time_text(e->timestamp_ns()), e->stream(), e->version(), e->type(),
                            e->schema_version(), e->metadata().bytes().size(), e->payload().size(),
                            e->more_in_batch() ? " +" : "", e->position().ordinal,
                            e->position().offset);
    }
    if (!events)
        text += events.error().message() + '\n';
    else if (const auto finished = events->finish(); !finished)
        text += finished.error().message() + '\n';
    return add("frames.txt", text);
}

}  // namespace

exit_code bundle_command(const bundle_options& options) {
    std::error_code failed;
    if (!fs::is_directory(options.directory, failed))
        return complain(error{.code = errc::not_a_journal,
                              .file = options.directory.string(),
                              .detail = "there is no such directory"});
    auto archive = tar_file::create(options.out);
    if (!archive)
        return complain(archive.error());
    collector all{*archive, options.directory};
    result<void> done = all.add("README.txt", readme);
    if (done)
        done = all.add_reports(!options.quick);
    if (done)
        done = all.add_files();
    if (done)
        done = all.add_frames();
    if (done)
        done = archive->finish();
    if (!done) {
        fs::remove(options.out, failed);
        return complain(done.error());
    }
    if (options.json)
        put_json({{"directory", options.directory.string()},
                  {"bundle", options.out.string()},
                  {"files", all.names()}});
    else
        put(
            fmt::format("bundle     {}, with {} files and no payloads; README.txt in it says what\n"
                        "           they are. Names of types, consumers and the host are in it.\n",
                        options.out.string(), all.names().size()));
    return success;
}

}  // namespace pawl::cli
