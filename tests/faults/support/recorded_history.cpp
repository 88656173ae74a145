#include "recorded_history.hpp"

#include "failure_text.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <pawl/journal/writer.hpp>

#include <csignal>
#include <vector>

namespace pawl::test {

namespace {

struct process_plan {
    sync_policy sync{};
    std::uint64_t units = 0;
    std::uint64_t sync_every = 0;  // units between calls of sync(); 0: none
    bool closes = false;           // else it is killed
    std::uint64_t seed = 0;        // of what it does besides appending
};

[[nodiscard]] process_plan plan_process(random_source& random) {
    process_plan plan{.sync = some_policy(random)};
    plan.units = random.below(std::uint64_t{32} << random.below(6));
    if (plan.sync.interval_us == 0 && plan.sync.bytes == 0)
        plan.sync_every = 1 + random.below(40);
    plan.closes = random.one_in(2);
    plan.seed = random.next();
    return plan;
}

// Makes the kernel write part of some file before a sync requests it, and without a flush.
void write_back_a_part(const std::filesystem::path& directory, random_source& random) {
    std::vector<std::filesystem::path> files;
    std::error_code ignored;
    for (const auto& found : std::filesystem::recursive_directory_iterator{directory, ignored}) {
        if (found.is_regular_file(ignored))
            files.push_back(found.path());
    }
    if (files.empty())
        return;
    const auto& chosen = files[random.below(files.size())];
    const int file = ::open(chosen.c_str(), O_RDONLY | O_CLOEXEC);
    const auto offset = static_cast<::off_t>(random.below(16) * disk_block_bytes);
    const auto bytes = static_cast<::off_t>((1 + random.below(8)) * disk_block_bytes);
    if (file >= 0) {
        ::sync_file_range(file, offset, bytes, SYNC_FILE_RANGE_WRITE);
        ::close(file);
    }
}

class working_process {
  public:
    working_process(const std::filesystem::path& directory, const recorded_disk& disk,
                    acknowledgements& told) noexcept
        : directory_{directory}, disk_{disk}, told_{told} {}

    // What went wrong, else empty.
    [[nodiscard]] std::string work(generated_log source, const process_plan& plan) {
        random_source random{plan.seed};
        auto log = writer::open(directory_, small_options(plan.sync, true));
        if (!log)
            return "open: " + log.error().message();
        if (!note_durable(log->durable()))
            return "no room for more acknowledgements";
        for (std::uint64_t units = 1; units <= plan.units; ++units) {
            const sequence_number next = log->next_sequence();
            if (!told_.publishing(next + source.unit_at(next).events, disk_.position()))
                return "no room for more acknowledgements";
            if (auto placed = source.append_unit(*log); !placed)
                return "append: " + failure_text(*log, placed.error());
            if (plan.sync_every != 0 && units % plan.sync_every == 0) {
                if (auto synced = log->sync(); !synced)
                    return "sync: " + failure_text(*log, synced.error());
            }
            if (!note_durable(log->durable()))
                return "no room for more acknowledgements";
            if (random.one_in(32))
                write_back_a_part(directory_, random);
        }
        told_.rolled_over(log->statistics().rollovers);
        if (!plan.closes)
            return {};
        const sequence_number all = log->published();
        if (auto closed = log->close(); !closed)
            return "close: " + failure_text(*log, closed.error());
        return note_durable(all) ? "" : "no room for more acknowledgements";
    }

  private:
    // The position is read after the watermark, so it lies after the flush that proved the
    // watermark.
    [[nodiscard]] bool note_durable(sequence_number durable) {
        if (durable <= durable_)
            return true;
        durable_ = durable;
        return told_.durable(durable, disk_.position());
    }

    const std::filesystem::path& directory_;
    const recorded_disk& disk_;
    acknowledgements& told_;
    sequence_number durable_ = 0;
};

}  // namespace

writer_options small_options(sync_policy sync, bool background) {
    writer_options options;
    options.segment_bytes = std::uint64_t{64} << 10;
    options.sync = sync;
    options.populate_bytes = std::uint64_t{64} << 10;
    options.scrub_bytes_per_second = 0;
    options.background_threads = background;
    options.full = background ? when_full::spin : when_full::fail;
    return options;
}

sync_policy some_policy(random_source& random) {
    switch (random.below(3)) {
        case 0:
            return sync_policy::manual();
        case 1:
            return sync_policy::every_us(static_cast<std::uint32_t>(200 + random.below(3000)));
        default:
            return sync_policy::every_bytes(1 + random.below(20'000));
    }
}

std::string write_history(const std::filesystem::path& directory, const recorded_disk& disk,
                          const log_lives& lives, random_source random, acknowledgements& told) {
    const std::uint64_t processes = 1 + random.below(4);
    for (std::uint64_t i = 0; i < processes; ++i) {
        const process_plan plan = plan_process(random);
        const ::pid_t child = ::fork();
        if (child < 0)
            return "cannot fork";
        if (child == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            working_process process{directory, disk, told};
            if (auto wrong = process.work(lives.source(), plan); !wrong.empty())
                told.failed(wrong);
            ::raise(SIGKILL);
        }
        ::waitpid(child, nullptr, 0);
        if (auto wrong = told.failure(); !wrong.empty())
            return wrong;
    }
    return {};
}

}  // namespace pawl::test
