// What a virtual machine runs, and what it prints on its console.
#pragma once

#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace pawl::test {

// Appends to the journal forever and prints what was acknowledged: `opened NEXT` before the first
// append, `durable SEQUENCE` with each acknowledgement, `failed WHY`. Returns only if a call
// failed.
[[nodiscard]] int run_guest_writer(const std::filesystem::path& directory, std::uint64_t seed);

struct guest_words {
    std::optional<sequence_number> opened;
    sequence_number durable = 0;
    std::uint64_t acknowledgements = 0;
    std::string failure;
    bool started = false;  // the program runs
};

// What the console has shown so far; an incomplete last line does not count.
[[nodiscard]] guest_words words_on(const std::filesystem::path& console);

}  // namespace pawl::test
