// A generated log that was cut and continued, several times: each life of its writer has its own
// seed, so an event that an earlier life had appended after the cut is told from those that belong
// there.
#pragma once

#include "generated_log.hpp"

#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace pawl::test {

class log_lives {
  public:
    // Adds a life whose first event has this sequence.
    void begin(sequence_number first, std::uint64_t seed);
    // The generator of what the last life appends.
    [[nodiscard]] generated_log source() const;
    [[nodiscard]] sequence_number first_of_last() const noexcept { return lives_.back().first; }
    [[nodiscard]] std::size_t count() const noexcept { return lives_.size(); }

    // Reads the journal with a cursor. Returns what is wrong with it, else empty; an end anywhere
    // but at `end` is wrong.
    [[nodiscard]] std::string check(const std::filesystem::path& directory,
                                    sequence_number end) const;

  private:
    struct life {
        sequence_number first = 0;
        std::uint64_t seed = 0;
    };
    std::vector<life> lives_;
};

}  // namespace pawl::test
