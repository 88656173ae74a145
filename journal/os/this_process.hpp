// Which process this is, for people who find its name in a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace pawl::detail {

// Process id, host, program and boot, each text ended by a zero.
struct process_name {
    std::uint64_t process = 0;
    char host[64] = {};
    char program[64] = {};
    char boot[40] = {};

    // "process 4711 (engine) on host7, boot 6ba7…"
    [[nodiscard]] std::string text() const;
};

// Allocates nothing; what cannot be found out stays empty.
[[nodiscard]] process_name this_process() noexcept;

}  // namespace pawl::detail
