// Whether a journal is sound, and whether it holds what a generated_log put there.
#pragma once

#include "generated_log.hpp"

#include <pawl/journal/journal.hpp>

#include <filesystem>
#include <string>

namespace pawl::test {

// Every tenth check is a deep one: it follows streams from segment to segment, and compares the
// file of stream heads with the log.
[[nodiscard]] inline verify_options deep_every_tenth(std::uint64_t number) {
    return {.deep = number % 10 == 0};
}

// Verifies it. Returns what is wrong; empty if nothing is.
[[nodiscard]] std::string fault_of_files(const std::filesystem::path& directory,
                                         const verify_options& options = {});

// Verifies it and reads it to its end, and both must count the same events. Returns what is wrong;
// empty if nothing is, and then `check` knows how many events there are.
[[nodiscard]] std::string fault_of_journal(const std::filesystem::path& directory,
                                           generated_log_check& check,
                                           const verify_options& options = {});

}  // namespace pawl::test
