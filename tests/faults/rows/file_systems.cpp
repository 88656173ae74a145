// Row 2: power loss under a real file system. A writer works on ext4 or XFS, on a loop device over
// a FUSE file that records every write and flush. Disks are made from any prefix of that record, in
// which each block written after the last flush may or may not be there; each disk is mounted,
// recovered and read.
#include "support/block_device.hpp"
#include "support/cut_check.hpp"
#include "support/cut_image.hpp"
#include "support/cut_sums.hpp"
#include "support/fuse_disk.hpp"
#include "support/recorded_history.hpp"
#include "support/row_program.hpp"

#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

using namespace pawl;
using namespace pawl::test;

namespace {

constexpr std::uint64_t cuts_a_history = 200;
constexpr std::size_t most_generations = 4;

struct totals {
    std::uint64_t histories = 0;
    std::uint64_t behind_a_cut = 0;  // histories that began with what a cut had left
    std::uint64_t entries = 0;
    std::uint64_t rollovers = 0;
};

class trial {
  public:
    trial(row_program& program, file_system kind)
        : program_{program},
          kind_{kind},
          disk_{image_bytes_of(kind)},
          fuse_{disk_},
          told_{acknowledgements::shared()},
          sums_{cut_sums::shared()} {}

    // Returns why it cannot run here, else empty.
    [[nodiscard]] std::string prepare(std::uint64_t workers) {
        const auto made = program_.directory() / "made";
        if (auto wrong = make_file_system(made, kind_); !wrong.empty())
            return wrong;
        empty_ = saved_image::of(made);
        std::filesystem::remove(made);
        if (auto wrong = fuse_.serve(program_.directory() / "fuse"); !wrong.empty())
            return wrong;
        for (std::uint64_t i = 0; i < workers; ++i) {
            images_.emplace_back(program_.directory() / fmt::format("cut-{}", i), disk_.bytes());
            if (auto wrong = images_.back().attach(); !wrong.empty())
                return wrong;
        }
        disk_.reset(empty_);
        return record([] { return std::string{}; });
    }

    void one_history(std::uint64_t number) {
        random_source random{draw(program_.seed(), number)};
        const std::string repeat = fmt::format("--part {} --history {} --count {}",
                                               static_cast<int>(kind_) + 1, number, cuts_a_history);
        lives_.begin(next_, random.next());
        told_.reset(next_);
        disk_.reset(base_ ? *base_ : empty_);
        totals_.behind_a_cut += base_ ? 1U : 0U;
        const std::string wrong = record([&] {
            return write_history(live() / "journal", disk_, lives_, random_source{random.next()},
                                 told_);
        });
        if (!wrong.empty() || disk_.overflowed()) {
            program_.failure(repeat, wrong.empty() ? "the record is full" : wrong);
            return;
        }
        ++totals_.histories;
        totals_.entries += disk_.position();
        totals_.rollovers += told_.rollovers();
        const std::uint64_t before = sums_.cuts;
        cut_it(random);
        program_.count(sums_.cuts - before);
        if (sums_.failed) {
            program_.failure(repeat, fmt::format("{} (history {})", sums_.why.data(), number));
            sums_.failed = false;
        }
        begin_the_next(random, repeat);
    }

    [[nodiscard]] std::string line() const {
        return fmt::format(
            "{} histories, {} of them after a cut, {} writes and flushes, {} rollovers; "
            "{} torn tails cut, {} written blocks missing, {} journals continued",
            totals_.histories, totals_.behind_a_cut, totals_.entries, totals_.rollovers,
            sums_.torn.load(), sums_.missing.load(), sums_.went_on.load());
    }

  private:
    [[nodiscard]] std::filesystem::path live() { return program_.directory() / "live"; }

    // Does the work with the recorded disk mounted.
    template <class Work>
    [[nodiscard]] std::string record(Work&& work) {
        loop_device device;
        if (auto wrong = device.attach(fuse_.file()); !wrong.empty())
            return wrong;
        mounted_file_system mounted;
        if (auto wrong = mounted.mount(device.path(), live(), kind_); !wrong.empty())
            return wrong;
        std::string wrong = work();
        std::string left = mounted.unmount();
        return wrong.empty() ? left : wrong;
    }

    // Any position, or exactly where something had just been acknowledged.
    [[nodiscard]] disk_cut choose(random_source& random) const {
        disk_cut cut{.position = random.below(disk_.position() + 1), .seed = random.next()};
        if (told_.durable_count() != 0 && random.one_in(3)) {
            const std::uint64_t at = random.below(told_.durable_count());
            cut.position = std::min(told_.durable_position(at) + random.below(3), disk_.position());
        }
        return cut;
    }

    void cut_it(random_source& random) {
        std::vector<disk_cut> cuts(
            std::min(cuts_a_history, program_.target() - program_.reached()));
        for (disk_cut& cut : cuts)
            cut = choose(random);
        std::ranges::sort(cuts, {}, &disk_cut::position);
        std::vector<::pid_t> workers;
        for (std::size_t i = 0; i < images_.size(); ++i) {
            images_[i].begin(base_ ? *base_ : empty_);
            const std::size_t from = cuts.size() * i / images_.size();
            const std::size_t to = cuts.size() * (i + 1) / images_.size();
            const ::pid_t child = ::fork();
            if (child == 0) {
                ::prctl(PR_SET_PDEATHSIG, SIGKILL);
                try_cuts(i, std::span{cuts}.subspan(from, to - from));
                ::_exit(0);
            }
            workers.push_back(child);
        }
        for (const ::pid_t child : workers) {
            int status = 0;
            if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0)
                sums_.fail("a process that tries cuts died");
        }
    }

    void try_cuts(std::size_t image, std::span<const disk_cut> cuts) {
        for (const disk_cut& cut : cuts) {
            if (sums_.failed)
                return;
            const std::uint64_t missing = images_[image].build(disk_, cut);
            random_source random{cut.seed + 1};
            const afterwards then = random.one_in(4) ? afterwards::go_on : afterwards::leave;
            const cut_finding found = check(images_[image], image, cut, then);
            if (!found.wrong.empty()) {
                sums_.fail(fmt::format("{} (cut at {} of {}, the disk is kept in {})", found.wrong,
                                       cut.position, disk_.position(), keep(images_[image], cut)));
                return;
            }
            ++sums_.cuts;
            sums_.missing += missing;
            sums_.torn += found.recovery.state == found::torn_tail ? 1U : 0U;
            sums_.went_on += then == afterwards::go_on ? 1U : 0U;
        }
    }

    [[nodiscard]] cut_finding check(const cut_image& image, std::size_t number, const disk_cut& cut,
                                    afterwards then) {
        return check_device(
            image.device(), program_.directory() / fmt::format("at-{}", number), kind_, lives_,
            {.needed = told_.needed_at(cut.position), .possible = told_.possible_at(cut.position)},
            then);
    }

    [[nodiscard]] std::string keep(cut_image& image, const disk_cut& cut) {
        const auto kept =
            std::filesystem::temp_directory_path() /
            fmt::format("pawl-{}-{}-{}.img", name_of(kind_), program_.seed(), cut.position);
        (void)image.build(disk_, cut);
        saved_image::of(image.file()).write(kept, disk_.bytes());
        return kept.string();
    }

    // The next history begins on an empty disk, or on one where a cut of this history was
    // recovered.
    void begin_the_next(random_source& random, const std::string& repeat) {
        if (lives_.count() < most_generations && !random.one_in(3)) {
            const disk_cut cut = choose(random);
            (void)images_[0].build(disk_, cut);
            const auto then = random.one_in(2) ? afterwards::close : afterwards::leave;
            const cut_finding found = check(images_[0], 0, cut, then);
            if (found.wrong.empty()) {
                base_ = saved_image::of(images_[0].file());
                next_ = found.next;
                return;
            }
            program_.failure(repeat,
                             fmt::format("{} (kept in {})", found.wrong, keep(images_[0], cut)));
        }
        base_.reset();
        next_ = 0;
        lives_ = {};
    }

    row_program& program_;
    file_system kind_;
    recorded_disk disk_;
    fuse_disk fuse_;
    acknowledgements& told_;
    cut_sums& sums_;
    saved_image empty_;
    std::optional<saved_image> base_;  // none: the empty one
    sequence_number next_ = 0;
    log_lives lives_;
    std::vector<cut_image> images_;
    totals totals_;
};

void run(row_program& program, file_system kind, std::uint64_t first, std::uint64_t workers) {
    trial on{program, kind};
    if (auto why = on.prepare(workers); !why.empty()) {
        program.skip(why);
        return;
    }
    for (std::uint64_t number = first; program.goes_on(); ++number)
        on.one_history(number);
    if (program.reached() != 0)
        program.detail(on.line());
}

}  // namespace

int main(int argc, char** argv) {
    const auto part = [](file_system kind) {
        return row_description{
            .row = 2, .name = fmt::format("file_systems_{}", name_of(kind)), .counted = "cuts"};
    };
    row_program program{part(file_system::ext4), argc, argv};
    const std::uint64_t only = program.option("--part", 0);  // 1: ext4, 2: XFS
    const std::uint64_t first = program.option("--history", 0);
    const std::uint64_t workers =
        program.option("--workers", std::max(1U, std::thread::hardware_concurrency()));
    const std::string unable = own_mounts();
    const auto run_part = [&](file_system kind, const row_targets& targets) {
        program.target(targets);
        if (!unable.empty())
            program.skip(unable);
        else
            run(program, kind, first, workers);
    };
    if (only != 2)
        run_part(file_system::ext4, {.quick = 100, .ci = 10'000, .full = 1'000'000});
    if (only == 2)
        program.describe(part(file_system::xfs));
    if (only == 0)
        program.next_part(part(file_system::xfs));
    if (only != 1)
        run_part(file_system::xfs, {.quick = 20, .ci = 1'000, .full = 100'000});
    return program.finish();
}
