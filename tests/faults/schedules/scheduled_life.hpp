// One life of a writer, its background and its readers, on a simulated disk, in one order of their
// steps.
#pragma once

#include "os/io_hook.hpp"
#include "scheduler.hpp"
#include "simulator/controlled_process.hpp"
#include "simulator/event_oracle.hpp"
#include "simulator/simulated_disk.hpp"

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/writer.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pawl::test {

struct schedule_outcome {
    std::uint64_t steps = 0;
    std::uint64_t switches = 0;
    std::uint64_t cuts = 0;  // disks that were recovered from and checked
    std::uint64_t rollovers = 0;
    std::string fault;  // empty if nothing went wrong
};

class scheduled_life {
  public:
    // Everything in it follows from the seed.
    explicit scheduled_life(std::uint64_t seed);

    [[nodiscard]] schedule_outcome run();

  private:
    [[nodiscard]] std::filesystem::path directory() const;
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return schedule_.below(bound); }
    void wrong(std::string what) { schedule_.stop(std::move(what)); }

    // scheduled_life.cpp: the disk, and the beginning and the end.

    void choose_options();
    void hook() noexcept;
    [[nodiscard]] int on_call(const detail::io_event& event);
    void moment();
    void check_end();

    // scheduled_writer.cpp: the writer's thread.

    void live();
    void work();
    void step();
    void append_one();
    void append_reserved();
    void append_batch();
    void went(const result<receipt>& given);
    [[nodiscard]] expected_event some_event();
    void wait_for_background();
    void end();

    // scheduled_others.cpp: the threads beside it.

    void sync_beside();
    void check_sync();
    void follow(visibility show, wait_strategy wait);
    [[nodiscard]] bool look(const event& found, visibility show, sequence_number next);
    void nap(std::uint64_t most_us) {
        std::this_thread::sleep_for(std::chrono::microseconds{1 + below(most_us)});
    }

    // Number of points until the power may fail after an acknowledgement.
    static constexpr std::uint64_t soon = 24;

    controlled_process controlled_;
    std::filesystem::path root_;
    std::filesystem::path after_cut_;
    std::optional<simulated_disk> disk_;
    event_oracle oracle_;
    writer_options options_;
    std::optional<writer> log_;
    scheduler schedule_;
    schedule_outcome outcome_;
    std::uint64_t streams_ = 0;          // numbers in use, from 1
    sequence_number shown_durable_ = 0;  // followers have seen events below this as durable
    std::uint32_t usual_bytes_ = 0;
    std::uint64_t large_one_in_ = 1;
    std::uint64_t new_stream_one_in_ = 1;
    bool finished_ = false;  // the writer appends no more
    bool closed_ = false;
};

}  // namespace pawl::test
