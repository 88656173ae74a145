// The commands of `pawl`, each a function from its options to an exit code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>

namespace pawl::cli {

// The exit codes of `pawl`.
enum exit_code : int {
    success = 0,
    failure = 1,  // damage was found, or the requested item does not exist
    wrong_usage = 2,
    unreadable = 3,  // could not be read, or a writer holds it: no statement about the journal
};

struct info_options {
    std::filesystem::path directory{};
    bool segments = false;
    bool json = false;
};
[[nodiscard]] exit_code info(const info_options& options);

struct verify_command_options {
    std::filesystem::path directory{};
    bool deep = false;
    bool json = false;
};
[[nodiscard]] exit_code verify_command(const verify_command_options& options);

struct dump_options {
    std::filesystem::path directory{};
    std::uint64_t from = 0;
    bool from_given = false;
    std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
    std::string stream{};  // a number or a name; empty: all
    bool durable = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code dump(const dump_options& options);

struct recover_command_options {
    std::filesystem::path directory{};
    bool dry_run = false;
    bool json = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code recover_command(const recover_command_options& options);

struct tail_options {
    std::filesystem::path directory{};
    std::uint64_t lines = 10;
    bool follow = false;
    bool durable = false;
    bool json = false;
    bool allow_network_file_system = false;
};
[[nodiscard]] exit_code tail(const tail_options& options);

}  // namespace pawl::cli
