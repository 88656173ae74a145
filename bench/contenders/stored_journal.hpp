#pragma once

#include "contenders/raw_log.hpp"
#include "measure/mapping.hpp"

#include <pawl/journal/writer.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace bench {

// A journal that was written and closed, for the reading questions.
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

// The floor of replay: reads the journal's own segments, one after the other, and checks every
// frame's hash. Knows only the epochs and the order of the segments.
class raw_reader {
  public:
    enum class by {
        mapping,  // maps each segment with read-ahead, as any reader that opens a journal must
        reading,  // read(2) into one buffer, which stays in the cache
    };
    raw_reader(const stored_journal& journal, by how);
    ~raw_reader();
    raw_reader(const raw_reader&) = delete;
    raw_reader& operator=(const raw_reader&) = delete;

    [[nodiscard]] std::size_t segments() const noexcept { return segments_.size(); }
    // Reads a whole segment. Throws if a frame is not intact.
    [[nodiscard]] raw::read_totals read_segment(std::size_t index);
    // Reads the next `limit` events, across segments, or fewer at the end.
    [[nodiscard]] raw::read_totals read_on(std::uint64_t limit);

  private:
    class segment;

    std::optional<mapping> buffer_;
    std::vector<std::unique_ptr<segment>> segments_;
    std::size_t at_ = 0;
};

}  // namespace bench
