// Row 4: the kernel is lost. A writer works in a virtual machine and prints on its console what was
// acknowledged; the machine is killed at a random moment, and everything that its kernel had not
// written yet is lost. Its disk is then mounted here, recovered and read.
#include "support/block_device.hpp"
#include "support/cut_check.hpp"
#include "support/guest_writer.hpp"
#include "support/recorded_disk.hpp"
#include "support/row_program.hpp"
#include "support/virtual_machine.hpp"
#include "support/workers.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <pawl/journal/recovery_report.hpp>

#include <chrono>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

using namespace pawl;
using namespace pawl::test;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

struct totals {
    std::uint64_t while_opening = 0;
    std::uint64_t in_guest = 0;  // recoveries left to the next machine
    std::uint64_t acknowledgements = 0;
    std::uint64_t events = 0;
    std::uint64_t torn = 0;
    std::uint64_t lost = 0;
};

class loss_loop {
  public:
    loss_loop(row_program& program, guest_system& system, unsigned index)
        : program_{program},
          system_{system},
          directory_{program.directory() / fmt::format("machine-{}", index)} {
        std::filesystem::create_directory(directory_);
    }

    void one_loss(std::uint64_t number) {
        random_source random{draw(program_.seed(), number)};
        const std::string repeat = fmt::format("--loss {} --workers 1 --count 1", number);
        if (lives_.count() == 0 || random.one_in(5)) {
            if (auto wrong = fresh_disk(); !wrong.empty())
                return program_.failure(repeat, wrong);
        }
        if (auto wrong = run_and_kill(random); !wrong.empty())
            return program_.failure(repeat, fmt::format("{} (loss {}, {})", wrong, number, keep()));
        if (auto wrong = look(random); !wrong.empty())
            return program_.failure(repeat, fmt::format("{} (loss {}, {})", wrong, number, keep()));
        program_.count();
    }

    [[nodiscard]] const totals& sums() const noexcept { return sums_; }

  private:
    [[nodiscard]] std::filesystem::path disk() { return directory_ / "disk"; }
    [[nodiscard]] std::filesystem::path copy() { return directory_ / "copy"; }
    [[nodiscard]] std::filesystem::path console() { return directory_ / "console"; }

    [[nodiscard]] std::string fresh_disk() {
        lives_ = {};
        needed_ = 0;
        return make_file_system(disk(), file_system::ext4);
    }

    // Runs a machine and kills it; what it had printed by then counts. Returns what went wrong
    // before, else empty.
    [[nodiscard]] std::string run_and_kill(random_source& random) {
        const std::uint64_t seed = random.next() >> 16;
        virtual_machine machine;
        if (auto wrong = machine.start(
                {.system = &system_, .disk = disk(), .console = console(), .seed = seed});
            !wrong.empty())
            return wrong;
        // Mostly after a number of acknowledgements, however long they take here; otherwise soon
        // after it has begun to open the journal.
        const bool early = random.one_in(5);
        const std::uint64_t awaited = random.below(std::uint64_t{2} << random.below(6));
        if (auto wrong = wait_for_words(machine, early, awaited); !wrong.empty())
            return wrong;
        const auto due = steady_clock::now() + milliseconds{random.below(early ? 200 : 50)};
        while (steady_clock::now() < due && machine.runs())
            ::usleep(500);
        if (!machine.runs())
            return "the virtual machine ended on its own";
        machine.kill();
        return note(words_on(console()), seed);
    }

    [[nodiscard]] std::string wait_for_words(virtual_machine& machine, bool early,
                                             std::uint64_t acknowledgements) {
        constexpr std::chrono::minutes patience{10};
        const auto limit = steady_clock::now() + patience;
        for (;;) {
            const guest_words words = words_on(console());
            if (!words.failure.empty())
                return "in the guest: " + words.failure;
            if (early ? words.started : words.acknowledgements > acknowledgements)
                return {};
            if (!machine.runs())
                return "the virtual machine ended on its own";
            if (steady_clock::now() > limit)
                return "the virtual machine does not start the writer";
            ::usleep(10'000);
        }
    }

    [[nodiscard]] std::string note(const guest_words& words, std::uint64_t seed) {
        if (!words.failure.empty())
            return "in the guest: " + words.failure;
        sums_.acknowledgements += words.acknowledgements;
        if (!words.opened) {
            ++sums_.while_opening;
            if (lives_.count() == 0)
                lives_.begin(0, seed);
            return {};
        }
        if (*words.opened < needed_)
            return fmt::format("lost: the next machine continues at {}, but {} were durable",
                               *words.opened, needed_);
        lives_.begin(*words.opened, seed);
        needed_ = std::max(needed_, words.durable);
        return {};
    }

    // Recovers a copy here. The next machine continues with that, or has to recover the disk
    // itself.
    [[nodiscard]] std::string look(random_source& random) {
        saved_image::of(disk()).write(copy(), image_bytes_of(file_system::ext4));
        const bool leave_it = random.one_in(2);
        const afterwards then = leave_it           ? afterwards::go_on
                                : random.one_in(2) ? afterwards::close
                                                   : afterwards::leave;
        cut_finding found;
        {
            loop_device device;
            if (auto wrong = device.attach(copy()); !wrong.empty())
                return wrong;
            found = check_device(
                device.path(), directory_ / "mounted", file_system::ext4, lives_,
                {.needed = needed_, .possible = std::numeric_limits<sequence_number>::max()}, then);
        }
        if (!found.wrong.empty())
            return found.wrong;
        sums_.events += found.next;
        sums_.torn += found.recovery.state == found::torn_tail ? 1U : 0U;
        sums_.lost += found.recovery.lost_about;
        if (leave_it) {
            ++sums_.in_guest;
            return {};
        }
        std::filesystem::rename(copy(), disk());
        needed_ = found.next;
        return {};
    }

    [[nodiscard]] std::string keep() {
        const auto kept =
            std::filesystem::temp_directory_path() /
            fmt::format("pawl-kernel_loss-{}-{}.img", program_.seed(), program_.reached());
        saved_image::of(disk()).write(kept, image_bytes_of(file_system::ext4));
        lives_ = {};
        return "the disk is kept in " + kept.string();
    }

    row_program& program_;
    guest_system& system_;
    std::filesystem::path directory_;
    log_lives lives_;
    sequence_number needed_ = 0;
    totals sums_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc == 4 && std::string_view{argv[1]} == "guest")
        return run_guest_writer(argv[2], std::strtoull(argv[3], nullptr, 10));
    row_program program{{.row = 4, .name = "kernel_loss", .counted = "kills"}, argc, argv};
    program.target({.quick = 2, .ci = 20, .full = 1'000});
    const std::uint64_t first = program.option("--loss", 0);
    const auto workers = static_cast<unsigned>(program.option("--workers", usual_workers()));
    std::string unable = own_mounts();
    guest_system system;
    if (unable.empty())
        unable = system.prepare(PAWL_FAULT_CACHE);
    if (!unable.empty()) {
        program.skip(unable);
        return program.finish();
    }
    const auto sums = divide_among_workers(program, workers, [&](unsigned index) {
        loss_loop loop{program, system, index};
        for (std::uint64_t number = first + index; program.goes_on(); number += workers)
            loop.one_loss(number);
        const totals& mine = loop.sums();
        return worker_sums{
            mine.acknowledgements, mine.events, mine.while_opening, mine.torn, mine.lost,
            mine.in_guest};
    });
    program.detail(fmt::format(
        "{} acknowledgements, {} events read back, {} killed before the writer had opened, {} "
        "torn tails cut with about {} events, {} recoveries left to the next machine",
        sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]));
    return program.finish();
}
