// Whether a journal that a generated_log was written to is sound, and holds what it must.
#pragma once

#include "generated_log.hpp"

#include <filesystem>
#include <string>

namespace pawl::test {

// Verifies it and reads it to its end. What is wrong; empty where nothing is, and then `check`
// knows how many events there are.
[[nodiscard]] std::string fault_of_journal(const std::filesystem::path& directory,
                                           generated_log_check& check);

}  // namespace pawl::test
