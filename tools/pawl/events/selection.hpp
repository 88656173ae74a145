// Which events of a journal a command shows, from the words of its command line.
#pragma once

#include "events/database.hpp"
#include "events/journal_words.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/sqlite/event_scan.hpp>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>

namespace pawl::cli {

struct selection {
    std::optional<std::uint64_t> from{};
    std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
    std::string stream{};  // a number or a name; empty: all
    std::string tag{};     // likewise
    std::string type{};    // likewise
    std::string since{};   // inclusive
    std::string until{};   // exclusive
    std::string where{};   // an SQL expression over the columns of the type, or of `events`
    std::optional<std::uint64_t> last{};    // only so many, the last ones
    std::optional<std::uint64_t> around{};  // only those around this sequence
    std::uint64_t context = 10;             // so many before and after it
    bool reverse = false;                   // the newest first
    bool durable = false;
    bool allow_network_file_system = false;

    // Whether something else than a place in the log decides which events are shown.
    [[nodiscard]] bool has_condition() const noexcept {
        return !stream.empty() || !tag.empty() || !type.empty() || !since.empty() ||
               !until.empty() || !where.empty();
    }
};

// Whether --since and --until accept the text: a time as parse_utc takes it, or a time of day.
[[nodiscard]] bool is_time(const std::string& text);

// The filter for a scan. A time of day means the day of the journal's last event.
[[nodiscard]] result<event_filter> filter_of(const std::filesystem::path& directory,
                                             const selection& asked, const journal_words& words);

// The events that an SQL expression selects, asked for in ascending order.
class where_filter {
  public:
    [[nodiscard]] static result<where_filter> open(const std::filesystem::path& directory,
                                                   const selection& asked,
                                                   const event_filter& within,
                                                   const journal_words& words);
    [[nodiscard]] result<bool> selects(sequence_number sequence);

  private:
    where_filter(database from, query rows) : from_{std::move(from)}, rows_{std::move(rows)} {}

    database from_;
    query rows_;
    std::optional<sequence_number> next_ = 0;  // the row that the query stands at
    bool started_ = false;
};

}  // namespace pawl::cli
