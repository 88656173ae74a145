// Row 18: a writer touches only its own directory. At every system call of every phase its
// directory is moved, deleted, mounted over, copied, or its path made to lead elsewhere, and
// another journal takes its place. The writer then continues as far as it can, and not one byte of
// that other journal may change. Nor may it in a copy that was made of hard links before the writer
// opened the journal, and shares every file with it.
#include "os/io_hook.hpp"
#include "support/failure_text.hpp"
#include "support/row_program.hpp"

#include <fmt/core.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

enum class phase : std::uint8_t { open, append, rollover, sync, seal, close, recover };
constexpr std::array<std::string_view, 7> phase_names{"open", "append", "rollover", "sync",
                                                      "seal", "close",  "recover"};
enum class act : std::uint8_t { moved, deleted, repointed, chdir, mounted, copied, hard_linked };
constexpr std::array<std::string_view, 7> act_names{"moved",   "deleted", "repointed",  "chdir",
                                                    "mounted", "copied",  "hard-linked"};

[[nodiscard]] writer_options options() {
    writer_options made;
    made.segment_bytes = std::uint64_t{64} << 10;
    made.sync = sync_policy::manual();
    made.background_threads = false;
    made.full = when_full::fail;
    made.scrub_bytes_per_second = 0;
    made.populate_bytes = 0;
    return made;
}

[[noreturn]] void give_up(const error& why) {
    fmt::print(stderr, "cannot prepare a trial: {}\n", why.message());
    std::exit(2);
}

// Appends this many events of a kilobyte, as far as the writer lets it, with the upkeep that is
// due.
void append_some(writer& log, int events) {
    const std::string kilobyte(1000, 'x');
    const auto bytes = std::as_bytes(std::span{kilobyte.data(), kilobyte.size()});
    for (int i = 0; i < events; ++i) {
        if (!log.append({.type = 1, .stream = 7}, bytes) && !log.poll())
            return;
    }
}

// A journal whose writer died: sealed segments, an unfinished one, and prepared ones.
void make_journal(const fs::path& directory, int events) {
    auto log = writer::open(directory, options());
    if (!log)
        give_up(log.error());
    append_some(*log, events);
    (void)log->sync();
    (void)log->poll();
}

using contents = std::map<std::string, std::string>;
[[nodiscard]] contents contents_of(const fs::path& directory) {
    contents files;
    for (const auto& entry : fs::recursive_directory_iterator{directory}) {
        const auto name = entry.path().lexically_relative(directory).string();
        if (!entry.is_regular_file()) {
            files[name] = "directory";
            continue;
        }
        std::ifstream source{entry.path(), std::ios::binary};
        files[name] = std::string{std::istreambuf_iterator<char>{source}, {}};
    }
    return files;
}

// Includes the disk space of each segment, because a writer may have to store there.
[[nodiscard]] contents contents_and_room_of(const fs::path& directory) {
    contents files = contents_of(directory);
    for (auto& [name, bytes] : files) {
        struct stat status{};
        if (name.ends_with(".seg") && ::stat((directory / name).c_str(), &status) == 0)
            bytes += fmt::format(" in {} blocks", status.st_blocks);
    }
    return files;
}

[[nodiscard]] std::string difference(const contents& before, const contents& after) {
    for (const auto& [name, bytes] : before) {
        const auto now = after.find(name);
        if (now == after.end())
            return name + " is gone";
        if (now->second != bytes)
            return name + " has changed";
    }
    for (const auto& [name, bytes] : after)
        if (!before.contains(name))
            return name + " is new";
    return {};
}

// One writer, one phase, one act at the n-th system call of that phase.
class trial {
  public:
    trial(fs::path base, const fs::path& foreign, phase when, act what, std::uint64_t call)
        : base_{std::move(base)}, foreign_source_{foreign}, when_{when}, act_{what}, call_{call} {
        fs::remove_all(base_);
        for (const char* name : {"blue", "green"})
            fs::create_directories(base_ / name);
        fs::create_directory_symlink("blue", base_ / "current");
        fs::copy(foreign_source_, base_ / "green" / "j", fs::copy_options::recursive);
    }
    trial(const trial&) = delete;
    trial& operator=(const trial&) = delete;
    ~trial() {
        detail::set_io_hook(nullptr, nullptr);
        if (mounted_)
            (void)::umount2((base_ / "blue" / "j").c_str(), MNT_DETACH);
        fs::current_path(base_.parent_path());
        std::error_code ignored;
        fs::remove_all(base_, ignored);
    }

    // False if the phase had fewer calls, so that nothing was done.
    [[nodiscard]] bool run() {
        path_ = act_ == act::chdir       ? fs::path{"j"}
                : act_ == act::repointed ? base_ / "current" / "j"
                                         : base_ / "blue" / "j";
        fs::current_path(base_ / "blue");
        if (when_ == phase::open)
            fs::create_directory(base_ / "blue" / "j");
        if (when_ == phase::recover)
            make_torn();
        if (act_ == act::hard_linked) {
            if (when_ != phase::recover)
                make_journal(base_ / "blue" / "j", 150);
            strike();
        }
        std::optional<writer> log;
        if (when_ != phase::open && when_ != phase::recover) {
            log = opened();
            append_some(*log, 10);
            (void)log->sync();
            (void)log->poll();
        }
        begin();
        do_phase(log);
        detail::set_io_hook(nullptr, nullptr);
        if (!struck_)
            return false;
        go_on(log);
        return true;
    }

    [[nodiscard]] bool can_mount() const noexcept { return !cannot_mount_; }
    [[nodiscard]] std::string wrong() const {
        if (!wrong_.empty())
            return wrong_;
        return difference(before_, seen());
    }

  private:
    [[nodiscard]] contents seen() const {
        return act_ == act::hard_linked ? contents_and_room_of(foreign_) : contents_of(foreign_);
    }

    [[nodiscard]] writer opened() {
        auto log = writer::open(path_, options());
        if (!log)
            give_up(log.error());
        return std::move(*log);
    }

    // A torn tail with a segment after it that a recovery moves to torn/.
    void make_torn() {
        std::uint64_t at = 0;
        {
            auto log = opened();
            append_some(log, 10);
            (void)log.sync();
            const std::string text = "torn";
            at = log.append({.type = 1}, std::as_bytes(std::span{text}))->position.offset;
            append_some(log, 70);
        }
        // Not sealed: what was never durable has no index.
        fs::remove(base_ / "blue" / "j" / "0000000000.idx");
        std::fstream file{base_ / "blue" / "j" / "0000000000.seg",
                          std::ios::in | std::ios::out | std::ios::binary};
        file.seekp(static_cast<std::streamoff>(at + 60));
        file.put('!');
    }

    void begin() {
        if (struck_)
            return;
        if (call_ == 0) {
            strike();
            return;
        }
        detail::set_io_hook(
            [](void* self, const detail::io_event&) {
                static_cast<trial*>(self)->called();
                return 0;
            },
            this);
    }
    void called() {
        if (++calls_ == call_)
            strike();
    }

    void do_phase(std::optional<writer>& log) {
        switch (when_) {
            case phase::open:
            case phase::recover:
                if (auto made = writer::open(path_, options()))
                    log = std::move(*made);
                else if (act_ == act::hard_linked)
                    wrong_ =
                        "an open beside a copy made of hard links fails: " + made.error().message();
                return;
            case phase::append:
                append_some(*log, 10);
                return;
            case phase::rollover:
                append_some(*log, 100);
                return;
            case phase::sync:
                (void)log->sync();
                append_some(*log, 3);
                (void)log->sync();
                return;
            case phase::seal:
                append_some(*log, 100);
                (void)log->sync();
                (void)log->poll();
                return;
            case phase::close:
                (void)log->close();
                return;
        }
    }

    // Afterwards the writer makes every call that it may.
    void go_on(std::optional<writer>& log) {
        if (!log)
            return;
        const bool displaced =
            act_ != act::chdir && act_ != act::copied && act_ != act::hard_linked;
        const bool open = when_ != phase::close;
        if (displaced && open)
            expect_poison(*log);
        append_some(*log, 150);
        (void)log->sync();
        (void)log->poll();
        const auto closed = log->close();
        if (!displaced && open && !closed)
            wrong_ = "a writer failed although its directory was not moved: " +
                     failure_text(*log, closed.error());
    }

    void expect_poison(writer& log) {
        const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{5};
        while (!log.failure()) {
            (void)log.append({.type = 1}, {});
            (void)log.sync();
            (void)log.poll();
            if (std::chrono::steady_clock::now() > limit) {
                wrong_ =
                    "the writer keeps acknowledging events in a directory that is no longer "
                    "at its path";
                return;
            }
        }
    }

    void strike() {
        struck_ = true;
        const fs::path own = base_ / "blue" / "j";
        foreign_ = own;
        switch (act_) {
            case act::moved:
                if (fs::exists(own))
                    fs::rename(own, base_ / "moved");
                fs::rename(base_ / "green" / "j", own);
                break;
            case act::deleted:
                fs::remove_all(own);
                fs::rename(base_ / "green" / "j", own);
                break;
            case act::repointed:
                foreign_ = base_ / "green" / "j";
                fs::remove(base_ / "current");
                fs::create_directory_symlink("green", base_ / "current");
                break;
            case act::chdir:
                foreign_ = base_ / "green" / "j";
                fs::current_path(base_ / "green");
                break;
            case act::mounted:
                fs::create_directories(own);
                cannot_mount_ = ::mount((base_ / "green" / "j").c_str(), own.c_str(), nullptr,
                                        MS_BIND, nullptr) != 0;
                mounted_ = !cannot_mount_;
                break;
            case act::copied:
                foreign_ = base_ / "copy";
                fs::create_directories(own);
                fs::copy(own, foreign_, fs::copy_options::recursive);
                break;
            case act::hard_linked:
                foreign_ = base_ / "copy";
                fs::copy(own, foreign_,
                         fs::copy_options::recursive | fs::copy_options::create_hard_links);
                break;
        }
        before_ = seen();
    }

    fs::path base_;
    fs::path foreign_source_;
    phase when_;
    act act_;
    std::uint64_t call_;
    std::uint64_t calls_ = 0;
    fs::path path_;
    fs::path foreign_;
    contents before_;
    std::string wrong_;
    bool struck_ = false;
    bool mounted_ = false;
    bool cannot_mount_ = false;
};

// A new directory's name must be on the disk before its writer reports that anything else is.
[[nodiscard]] std::string fault_of_creation(const fs::path& base, std::string_view ending) {
    struct record {
        std::string parent;
        bool synced = false;
    } seen{base.string()};
    detail::set_io_hook(
        [](void* context, const detail::io_event& event) {
            auto* noted = static_cast<record*>(context);
            if (event.operation == detail::io_operation::sync_directory &&
                noted->parent == event.path)
                noted->synced = true;
            return 0;
        },
        &seen);
    const auto made = writer::open((base / "new").string() + std::string{ending}, options());
    detail::set_io_hook(nullptr, nullptr);
    fs::remove_all(base / "new");
    if (!made)
        return made.error().message();
    return seen.synced ? "" : "the parent directory of a new journal was not synced";
}

class all_trials {
  public:
    explicit all_trials(row_program& program) : program_{program} {}

    void run() {
        foreign_ = program_.directory() / "foreign";
        make_journal(foreign_, 150);
        for (const std::string_view ending : {"", "/", "//"}) {
            program_.count();
            if (const auto wrong = fault_of_creation(program_.directory(), ending); !wrong.empty())
                program_.failure("--quick", wrong);
        }
        for (std::size_t when = 0; when < phase_names.size(); ++when)
            for (std::size_t what = 0; what < act_names.size(); ++what)
                run_calls(static_cast<phase>(when), static_cast<act>(what));
        if (program_.failures() == 0)
            program_.detail(fmt::format("{} phases, {} acts{}", phase_names.size(),
                                        act_names.size(),
                                        can_mount_ ? "" : ", mounting not allowed here"));
    }

  private:
    void run_calls(phase when, act what) {
        const bool quick = program_.mode() == row_mode::quick;
        // An odd step, so that calls that come in pairs are both reached. A close makes few calls,
        // and what it does wrong may show at one of them only.
        const std::uint64_t step = quick && when != phase::close ? 3 : 1;
        // An open looks its path up before its first call; afterwards the directory is its own.
        const bool opens = when == phase::open || when == phase::recover;
        for (std::uint64_t call = opens ? 1 : 0; program_.failures() < 3; call += step) {
            trial one{program_.directory() / "trial", foreign_, when, what, call};
            if (!one.run())
                return;
            if (!one.can_mount()) {
                can_mount_ = false;
                return;
            }
            program_.count();
            if (const auto wrong = one.wrong(); !wrong.empty()) {
                program_.failure(quick ? "--quick" : "",
                                 fmt::format("{} at call {} of {}: {}",
                                             act_names[static_cast<std::size_t>(what)], call,
                                             phase_names[static_cast<std::size_t>(when)], wrong));
            }
            // Such a copy is made before the writer opens, whatever the call.
            if (what == act::hard_linked)
                return;
        }
    }

    row_program& program_;
    fs::path foreign_;
    bool can_mount_ = true;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 18, .name = "own_directory", .counted = "trials"}, argc, argv};
    (void)program.target({.quick = 100, .ci = 300, .full = 300});
    all_trials{program}.run();
    return program.finish();
}
