// Row 10, second part: a healthy journal never looks damaged. A service opens, writes, rolls over,
// closes, is killed and recovers, while the read-only commands look at its journal; each must exit
// as it would beside an idle service.
#include "support/generated_log.hpp"
#include "support/process.hpp"
#include "support/row_program.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pawl/journal/writer.hpp>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

using namespace pawl;
using namespace pawl::test;
using std::chrono::steady_clock;

namespace {

constexpr std::uint64_t segment_bytes = std::uint64_t{64} << 10;

[[noreturn]] void live(const std::filesystem::path& directory, std::uint64_t seed) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    random_source random{seed};
    writer_options options;
    options.segment_bytes = segment_bytes;
    options.sync = sync_policy::every_us(500);
    options.scrub_bytes_per_second = 0;
    options.expected_streams = 64;
    auto log = writer::open(directory, options);
    if (!log) {
        fmt::print(stderr, "the service cannot open: {}\n", log.error().message());
        ::_exit(1);
    }
    generated_log source{seed};
    // Mostly few events, so that opening and closing is frequent; sometimes enough to roll over.
    for (std::uint64_t left = 1 + random.below(random.one_in(4) ? 2000 : 60); left > 0; --left) {
        if (auto placed = source.append_unit(*log); !placed) {
            fmt::print(stderr, "the service cannot append: {}\n", placed.error().message());
            ::_exit(1);
        }
        if (random.one_in(64))
            ::usleep(static_cast<::useconds_t>(random.below(2000)));
    }
    if (random.one_in(2) && !log->close())
        ::_exit(1);
    ::_exit(0);
}

// The journal must exist before the first command looks for it.
[[nodiscard]] bool create(const std::filesystem::path& directory) {
    auto log = writer::open(directory, {.segment_bytes = segment_bytes});
    return log && log->close();
}

// One life after the other; some are killed, even while they open.
[[noreturn]] void serve(const std::filesystem::path& directory, std::uint64_t seed) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    random_source random{seed};
    for (;;) {
        const std::uint64_t life = random.next();
        const ::pid_t child = ::fork();
        if (child == 0)
            live(directory, life);
        if (random.one_in(2)) {
            ::usleep(static_cast<::useconds_t>(random.below(12'000)));
            ::kill(child, SIGKILL);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
            ::_exit(1);
        if (random.one_in(3))
            ::usleep(static_cast<::useconds_t>(random.below(3000)));
    }
}

// Runs beside a live service, which ends with this object.
class running_service {
  public:
    running_service(const std::filesystem::path& directory, std::uint64_t seed) {
        process_ = ::fork();
        if (process_ == 0)
            serve(directory, seed);
    }
    running_service(const running_service&) = delete;
    running_service& operator=(const running_service&) = delete;
    ~running_service() {
        if (process_ == 0)
            return;
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
    }
    [[nodiscard]] bool failed() {
        if (::waitpid(process_, nullptr, WNOHANG) != process_)
            return false;
        process_ = 0;
        return true;
    }

  private:
    ::pid_t process_ = 0;
};

struct command {
    std::vector<std::string> words;
    bool may_be_locked = false;
};

// What is wrong with how a command ended; empty if nothing is.
[[nodiscard]] std::string run_beside(const command& asked, const std::string& directory,
                                     std::uint64_t& locked) {
    std::vector<std::string> words{PAWL_TOOLS_DIR "/pawl"};
    words.insert(words.end(), asked.words.begin(), asked.words.end());
    words.push_back(directory);
    const finished_process done = test::run(std::move(words));
    if (done.exit_code == 0 && done.err.empty())
        return {};
    // The notice of a torn tail, which a killed writer leaves.
    if (done.exit_code == 0 && asked.words.front() == "dump" &&
        done.err.starts_with("pawl: notice: "))
        return {};
    if (done.exit_code == 3 && asked.may_be_locked && done.err.starts_with("pawl: locked")) {
        ++locked;
        return {};
    }
    return fmt::format("pawl {} exits with {}: {}", fmt::join(asked.words, " "), done.exit_code,
                       done.err.substr(0, done.err.find('\n')));
}

[[nodiscard]] bool is_large(const std::filesystem::path& directory) {
    constexpr std::uint64_t most_files = 120;
    std::uint64_t files = 0;
    std::error_code none;
    for (std::filesystem::directory_iterator entry{directory, none}, end; !none && entry != end;
         entry.increment(none))
        ++files;
    return files > most_files;
}

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 10, .name = "false_alarms", .counted = "commands"}, argc, argv};
    program.target({.quick = 200, .ci = 4000, .full = 400'000});
    const std::uint64_t seconds = program.option("--seconds", 0);
    if (!std::filesystem::exists(PAWL_TOOLS_DIR "/pawl")) {
        program.skip("the pawl command was not built");
        return program.finish();
    }
    const auto until = steady_clock::now() + std::chrono::seconds{seconds};
    const std::vector<command> commands{
        {.words = {"verify"}},
        {.words = {"info"}},
        {.words = {"dump", "--limit", "1"}},
        {.words = {"recover", "--dry-run"}, .may_be_locked = true},
        {.words = {"verify", "--deep"}},
        {.words = {"tail", "-n", "3"}},
    };
    std::uint64_t locked = 0;
    std::uint64_t journals = 0;
    const auto goes_on = [&] {
        return program.goes_on() || (steady_clock::now() < until && program.failures() == 0);
    };
    while (goes_on()) {
        const auto directory = program.directory() / fmt::format("journal-{}", journals);
        const std::uint64_t seed = draw(program.seed(), journals++);
        if (!create(directory)) {
            program.failure({}, "cannot create a journal");
            break;
        }
        running_service service{directory, seed};
        for (std::size_t i = 0; goes_on() && !is_large(directory); ++i) {
            const auto wrong =
                run_beside(commands[i % commands.size()], directory.string(), locked);
            program.count();
            if (!wrong.empty())
                program.failure(fmt::format("--seed {}", program.seed()), wrong);
            if (service.failed()) {
                program.failure(fmt::format("--seed {}", program.seed()), "the service failed");
                break;
            }
        }
    }
    if (program.reached() != 0)
        program.detail(
            fmt::format("{} journals; {} dry runs of a recovery found a writer", journals, locked));
    return program.finish();
}
