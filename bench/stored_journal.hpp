#pragma once

#include "mapping.hpp"
#include "raw_log.hpp"

#include <pawl/journal/writer.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

namespace bench {

// A journal that was written and closed, for those who read.
struct stored_journal {
    std::filesystem::path directory;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;  // of frames

    // Removes its segments from the page cache.
    void drop_cache() const;
};

// Writes `events` events by `append(writer, index)` and closes the journal.
[[nodiscard]] stored_journal store_journal(
    const std::filesystem::path& directory, std::uint64_t events, pawl::writer_options options,
    const std::function<bool(pawl::writer&, std::uint64_t)>& append);

// The floor of replay: the journal's own segments, mapped, every frame's hash checked, one after
// the other. Knows epochs and order of the segments, and nothing else.
class raw_reader {
  public:
    explicit raw_reader(const stored_journal& journal);

    [[nodiscard]] std::size_t segments() const noexcept { return segments_.size(); }
    // Reads a whole segment. Throws where a frame is not intact.
    [[nodiscard]] raw::read_totals read_segment(std::size_t index) const;
    // The next `limit` events, across segments, or fewer at the end.
    [[nodiscard]] raw::read_totals read_on(std::uint64_t limit);
    void rewind() noexcept;

  private:
    struct segment {
        mapping file;
        std::uint64_t epoch;
    };

    std::vector<segment> segments_;
    std::size_t at_ = 0;
    std::size_t offset_;
};

}  // namespace bench
