// Row 6 on real devices: a writer works on ext4, XFS or btrfs, on a loop device over a FUSE file
// that refuses writes or flushes with EIO from some point on, a few times or until it is repaired.
// The kernel then treats pages as clean that never reached the disk, so a second sync reports
// success. The writer must not acknowledge anything because of that, nor may the next writer on the
// mounted file system; and after the file system is mounted again, everything that was acknowledged
// must be there.
#include "support/block_device.hpp"
#include "support/certain_trials.hpp"
#include "support/cut_check.hpp"
#include "support/fuse_disk.hpp"
#include "support/row_program.hpp"
#include "support/struck_writer.hpp"
#include "support/watched_child.hpp"

#include <fmt/core.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace pawl;
using namespace pawl::test;

namespace {

// A trial takes a fraction of a second.
constexpr std::chrono::seconds most_for_a_trial{30};

[[nodiscard]] sync_policy some_policy_or_none(random_source& random, bool background) {
    if (!background || random.one_in(2))
        return sync_policy::manual();
    return sync_policy::every_us(static_cast<std::uint32_t>(100 + random.below(2000)));
}

[[nodiscard]] disk_refusal some_refusal(random_source& random) {
    constexpr std::uint64_t writes = 3;  // of four: what a lost write leaves is what lies
    const bool only_flushes = random.below(writes + 1) == writes;
    return {.writes = !only_flushes,
            .flushes = only_flushes || random.one_in(3),
            .after = random.one_in(2) ? 0 : random.below(24),
            .times = random.one_in(3) ? 0 : 1 + random.below(4)};
}

[[nodiscard]] struck_plan some_plan(random_source& random, bool first) {
    struck_plan plan;
    plan.background = random.one_in(2);
    plan.sync = some_policy_or_none(random, plan.background);
    plan.units_before = first ? 1 + random.below(200) : 0;
    plan.units_after = 1 + random.below(random.one_in(2) ? 20 : 200);
    plan.sync_every = 1 + random.below(12);
    plan.openings = 1 + random.below(2);
    plan.closes = random.one_in(2);
    if (first)
        plan.refusal = some_refusal(random);
    return plan;
}

// One file system and one disk under it, which all trials share.
class broken_device {
  public:
    broken_device(row_program& program, file_system kind)
        : program_{program},
          kind_{kind},
          disk_{image_bytes_of(kind)},
          fuse_{disk_},
          record_{struck_record::shared()} {}

    // Returns why it cannot run here, else empty.
    [[nodiscard]] std::string prepare() {
        const auto made = program_.directory() / "made";
        if (auto wrong = make_file_system(made, kind_); !wrong.empty())
            return wrong;
        empty_ = saved_image::of(made);
        std::filesystem::remove(made);
        if (auto wrong = fuse_.serve(program_.directory() / "fuse"); !wrong.empty())
            return wrong;
        disk_.reset(empty_);
        return on_mounted([](const std::filesystem::path&) { return std::string{}; });
    }

    // What needs no chance to show.
    [[nodiscard]] std::string certain_trials() {
        if (auto wrong = refused_on_fuse(program_.directory() / "fuse"); !wrong.empty())
            return wrong;
        disk_.reset(empty_);
        return on_mounted([&](const std::filesystem::path& journal) {
            return sync_after_another(journal, disk_);
        });
    }

    void one_trial(std::uint64_t number) {
        const std::string repeat =
            fmt::format("--part {} --trial {} --count 1", static_cast<int>(kind_) + 1, number);
        disk_.reset(empty_);
        record_.reset();
        const std::uint64_t unmountable = record_.sums.unmountable;
        const child_end end = run_watched([&] { return trial(number); }, most_for_a_trial);
        ++trials_;
        if (end.late) {
            give_up_on(end, repeat);
            return;
        }
        std::string wrong = record_.told.failure();
        if (wrong.empty() && !end.well())
            wrong = fmt::format("the trial's process ended with status {}", end.status);
        if (!wrong.empty())
            program_.failure(repeat, fmt::format("{}: {} (trial {}, the disk is kept in {})",
                                                 name_of(kind_), wrong, number, keep(number)));
        else if (disk_.refused() != 0 && record_.sums.unmountable == unmountable)
            program_.count();
    }

    [[nodiscard]] std::string line() const {
        return fmt::format(
            "{} trials; {} writers poisoned, {} openings refused, {} journals opened again while "
            "the page cache hid errors, {} of them rewritten bypassing it, {} file systems that "
            "could not be mounted again",
            trials_, record_.sums.poisoned.load(), record_.sums.refused.load(),
            record_.sums.reopened.load(), record_.sums.past_the_cache.load(),
            record_.sums.unmountable.load());
    }
    [[nodiscard]] bool gave_up() const noexcept { return gave_up_; }

  private:
    // What a failed trial leaves depends on the kernel's timing, so a repeat may not show it.
    [[nodiscard]] std::string keep(std::uint64_t number) const {
        if (std::getenv("PAWL_PLANTED_BUG") != nullptr)
            return "nowhere";  // what a planted bug leaves is of no use
        const auto kept =
            std::filesystem::temp_directory_path() /
            fmt::format("pawl-{}-{}-{}.image", name_of(kind_), program_.seed(), number);
        std::ofstream to{kept, std::ios::binary | std::ios::trunc};
        const auto bytes = disk_.read(0, disk_.bytes());
        to.write(reinterpret_cast<const char*>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
        return to ? kept.string() : "no file, for want of space";
    }

    [[nodiscard]] std::filesystem::path live() { return program_.directory() / "live"; }

    // Does the work with the disk mounted. Returns what is wrong, else empty.
    template <class Work>
    [[nodiscard]] std::string on_mounted(Work&& work) {
        loop_device device;
        if (auto wrong = device.attach(fuse_.file()); !wrong.empty())
            return wrong;
        mounted_file_system mounted;
        if (auto wrong = mounted.mount(device.path(), live(), kind_); !wrong.empty())
            return wrong;
        std::string wrong = work(live() / "journal");
        disk_.mend();
        std::string left = mounted.unmount();
        return wrong.empty() ? left : wrong;
    }

    // Runs in a separate process, which may hang and be abandoned.
    [[nodiscard]] int trial(std::uint64_t number) {
        random_source random{draw(program_.seed(), number)};
        std::string wrong = on_mounted(
            [&](const std::filesystem::path& journal) { return strike(journal, random); });
        if (wrong.empty())
            wrong = look_at_the_disk(random);
        if (!wrong.empty())
            record_.told.failed(wrong);
        return 0;
    }

    [[nodiscard]] std::string strike(const std::filesystem::path& journal, random_source& random) {
        const std::uint64_t processes = 1 + random.below(3);
        for (std::uint64_t i = 0; i < processes; ++i) {
            const struck_plan plan = some_plan(random, i == 0);
            if (i != 0 && random.one_in(2))
                disk_.mend();
            const std::uint64_t seed = random.next();
            const ::pid_t child = ::fork();
            if (child == 0) {
                ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                const auto wrong = write_while_struck(journal, disk_, record_, plan, seed);
                if (!wrong.empty())
                    record_.told.failed(wrong);
                ::_exit(0);
            }
            int status = 0;
            if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0)
                return fmt::format("a writer's process died with status {}", status);
            if (auto wrong = record_.told.failure(); !wrong.empty())
                return wrong;
        }
        return {};
    }

    // The page cache is gone: only what is on the disk can be read.
    [[nodiscard]] std::string look_at_the_disk(random_source& random) {
        loop_device device;
        if (auto wrong = device.attach(fuse_.file()); !wrong.empty())
            return wrong;
        mounted_file_system mounted;
        if (auto wrong = mounted.mount(device.path(), live(), kind_); !wrong.empty()) {
            ++record_.sums.unmountable;
            return {};
        }
        const cut_bounds bounds{.needed = record_.told.needed_at(0),
                                .possible = record_.told.possible_at(1)};
        const auto then = random.one_in(2) ? afterwards::go_on : afterwards::close;
        std::string wrong = check_journal(live() / "journal", record_.lives(), bounds, then).wrong;
        if (!wrong.empty())
            wrong = "on the disk: " + wrong;
        std::string left = mounted.unmount();
        return wrong.empty() ? left : wrong;
    }

    // If it waits inside the kernel, the kernel is to blame, and anything tried next on this file
    // system would wait as well. If it waits elsewhere, that is a fault.
    void give_up_on(const child_end& end, const std::string& repeat) {
        gave_up_ = true;
        ::umount2(live().c_str(), MNT_DETACH);
        const bool in_kernel = end.where.find(" D in ") != std::string::npos;
        const std::string what =
            fmt::format("{}: hangs after a device error ({})", name_of(kind_), end.where);
        if (end.stuck || in_kernel)
            program_.skip(what);
        else
            program_.failure(repeat, what);
    }

    row_program& program_;
    file_system kind_;
    recorded_disk disk_;
    fuse_disk fuse_;
    struck_record& record_;
    saved_image empty_;
    std::uint64_t trials_ = 0;
    bool gave_up_ = false;
};

void run(row_program& program, file_system kind, std::uint64_t first) {
    broken_device on{program, kind};
    if (auto why = on.prepare(); !why.empty()) {
        program.skip(why);
        return;
    }
    if (auto wrong = on.certain_trials(); !wrong.empty())
        program.failure(fmt::format("--part {}", static_cast<int>(kind) + 1),
                        fmt::format("{}: {}", name_of(kind), wrong));
    for (std::uint64_t number = first; program.goes_on() && !on.gave_up(); ++number)
        on.one_trial(number);
    program.detail(on.line());
}

}  // namespace

int main(int argc, char** argv) {
    const auto part = [](file_system kind) {
        return row_description{.row = 6,
                               .name = fmt::format("device_errors_{}", name_of(kind)),
                               .counted = "broken disks"};
    };
    constexpr std::array kinds{file_system::ext4, file_system::xfs, file_system::btrfs};
    row_program program{part(kinds[0]), argc, argv};
    const std::uint64_t only = program.option("--part", 0);  // 1: ext4, 2: XFS, 3: btrfs
    const std::uint64_t first = program.option("--trial", 0);
    const std::string unable = own_mounts();
    bool begun = false;
    for (const file_system kind : kinds) {
        const bool quick_leaves_out =
            program.mode() == row_mode::quick && kind != kinds[0] && only == 0;
        if ((only != 0 && only != static_cast<std::uint64_t>(kind) + 1) || quick_leaves_out)
            continue;
        if (begun)
            program.next_part(part(kind));
        else
            program.describe(part(kind));
        begun = true;
        program.target({.quick = 30, .ci = 100, .full = 2000});
        if (!unable.empty())
            program.skip(unable);
        else
            run(program, kind, first);
    }
    return program.finish();
}
