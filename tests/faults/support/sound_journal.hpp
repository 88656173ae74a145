// Whether a journal is sound, and whether it holds what a generated_log put there.
#pragma once

#include "generated_log.hpp"

#include <pawl/journal/journal.hpp>

#include <filesystem>
#include <string>

namespace pawl::test {

// Every tenth of what is checked is looked at deeply: streams from segment to segment, and the file
// of stream heads against the log.
[[nodiscard]] inline verify_options deep_every_tenth(std::uint64_t number) {
    return {.deep = number % 10 == 0};
}

// Verifies it. What is wrong; empty where nothing is.
[[nodiscard]] std::string fault_of_files(const std::filesystem::path& directory,
                                         const verify_options& options = {});

// Verifies it and reads it to its end, and both must count the same events. What is wrong; empty
// where nothing is, and then `check` knows how many events there are.
[[nodiscard]] std::string fault_of_journal(const std::filesystem::path& directory,
                                           generated_log_check& check,
                                           const verify_options& options = {});

}  // namespace pawl::test
