// Options and counters of a command_loop.
#pragma once

#include <pawl/journal/options.hpp>
#include <pawl/replay/decision.hpp>

#include <cstdint>

namespace pawl {

// How submit() behaves when the queue of a command_loop is full.
enum class when_queue_full : std::uint8_t {
    wait,  // it waits until the queue has space
    fail,  // it returns back_pressure at once, and the caller handles the command
    shed,  // the oldest queued command fails with back_pressure, undecided, to make space
};

// How stop() treats queued commands.
enum class when_stopped : std::uint8_t {
    drain,   // decide them
    refuse,  // fail them with closed
};

struct command_loop_options {
    // Commands that wait to be decided, and as many that wait to be acknowledged: 1 to 32,768.
    std::uint32_t capacity = 4096;
    when_queue_full full = when_queue_full::wait;
    // How long each thread looks for work before it sleeps. A sleeping thread costs its submitter a
    // system call, and the command some tens of microseconds.
    std::uint32_t spin_us = 20;
    decision_limits limits{};
    thread_options threads{.name = "commands", .cores = {}};
};

// `pawl stat` shows those that tell how the loop is doing, as counters of its writer (counter.hpp):
// commands_submitted and so on.
struct command_loop_statistics {
    std::uint64_t submitted = 0;
    std::uint64_t decided = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t found_full = 0;    // submissions that found the queue full
    std::uint64_t refused_full = 0;  // back_pressure, returned or delivered
    std::uint64_t queued = 0;        // waiting to be decided now
    std::uint64_t most_queued = 0;
    std::uint64_t deciding_ns = 0;       // spent in runs of decide, append and evolve
    std::uint64_t durable_waits = 0;     // times that the acknowledging thread waited for the disk
    std::uint64_t durable_commands = 0;  // commands acknowledged as durable
    std::uint64_t durable_ns = 0;  // from submit to acknowledgement, all durable commands together
    std::uint64_t longest_durable_ns = 0;
};

}  // namespace pawl
