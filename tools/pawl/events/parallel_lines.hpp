// Prints long stretches of a journal as lines of JSON, on all cores.
#pragma once

#include "events/event_json.hpp"
#include "events/journal_words.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/replay/detail/crew.hpp>
#include <pawl/sqlite/event_scan.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::cli {

class parallel_lines {
  public:
    // Whether there are several cores, and events enough for them.
    [[nodiscard]] static bool pays(sequence_number from, sequence_number before) noexcept;

    // The arguments must outlive it. Of the filter only what is shown and from which file system
    // counts. `words` must hold the names of the streams that are printed.
    parallel_lines(const std::filesystem::path& directory, const event_filter& filter,
                   const journal_words& words, const event_json_options& options);

    // Gives the lines of the events [from, before) to `put`, in order and in large pieces, until it
    // returns false. Returns the sequence after the last event given: less than `before` if `put`
    // ended it, or the journal. Fails as reading fails, after everything before that was given.
    [[nodiscard]] result<sequence_number> print(sequence_number from, sequence_number before,
                                                const std::function<bool(std::string_view)>& put);

    // The payloads that did not fit their schemas.
    [[nodiscard]] std::uint64_t problems() const noexcept;

  private:
    struct stretch {
        event_json lines;
        std::string text{};
        sequence_number next = 0;  // after the last event in the text
        std::optional<error> failed{};
    };
    void fill(stretch& into, sequence_number from, sequence_number before) const;

    const std::filesystem::path& directory_;
    event_filter filter_;
    detail::crew crew_{0};
    std::vector<stretch> stretches_;
};

}  // namespace pawl::cli
