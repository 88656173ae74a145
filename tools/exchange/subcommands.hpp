// The subcommands of `pawl-exchange`, each a function from its options to an exit code: 0 success,
// 1 a failure or a finding. Results go to standard output, errors to standard error. Those that
// only fold the journal are pawl::tool_main's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace exchange {

struct run_options {
    std::filesystem::path directory{};
    std::uint64_t commands = 0;  // in all, including those of earlier runs
    std::uint64_t seed = 1;
    std::uint16_t sessions = 4;
    std::uint64_t sent_again = 64;  // by each session that continues
    std::uint64_t segment_bytes = 64ull << 20;
    std::uint64_t snapshot_every = 100'000;
    std::string day_ends{};         // when half of the limit orders expire; empty: never
    std::filesystem::path fills{};  // receives the fills, one per line; empty: none
    bool json = false;
};
[[nodiscard]] int run(const run_options& options);

struct drop_copy_options {
    std::filesystem::path directory{};
    std::string name = "drop-copy";  // of the subscription
    bool follow = false;
};
[[nodiscard]] int drop_copy(const drop_copy_options& options);

struct views_options {
    std::filesystem::path directory{};
    std::filesystem::path database{};
    bool follow = false;
    bool check = false;
    bool json = false;
};
[[nodiscard]] int views(const views_options& options);

struct lobster_options {
    std::filesystem::path messages{};
    std::filesystem::path rows{};
    std::filesystem::path journal{};
    bool json = false;
};
[[nodiscard]] int lobster(const lobster_options& options);

}  // namespace exchange
