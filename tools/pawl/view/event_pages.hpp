// Pages of a list of events: those of a stream, with a tag, of a type, or all.
#pragma once

#include "view/log_map.hpp"
#include "view/view_words.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pawl::cli {

struct event_choice {
    std::optional<stream_id> stream{};
    tag_id tag = 0;  // 0: whatever tags
    std::optional<std::uint16_t> type{};
};

struct event_row {
    sequence_number sequence = 0;
    std::uint64_t timestamp_ns = 0;
    stream_id stream = no_stream_id;
    stream_version version = 0;
    std::uint16_t type = 0;
    std::uint16_t schema_version = 0;
    std::uint64_t payload_bytes = 0;
    std::string text{};  // JSON, or the payload in hexadecimal; the beginning of it
    bool more_in_batch = false;
};

struct event_page {
    std::vector<event_row> rows{};  // in log order
    // What was looked through: [from, before). The next page begins at `before`, the one before it
    // ends at `from`.
    sequence_number from = 0;
    sequence_number before = 0;
    // False: it took too long to fill the page, and there may be more in the same direction.
    bool filled = true;
    std::optional<error> problem{};  // why reading ended
};

// Up to `limit` events from a sequence on, and the last ones before a sequence. A page takes at
// most about 60 ms, also of a type that is rare: then it has fewer rows, and says how far it
// looked.
[[nodiscard]] result<event_page> page_from(const log_map& map, const view_words& words,
                                           const event_choice& choice, sequence_number from,
                                           std::uint64_t limit);
[[nodiscard]] result<event_page> page_before(const log_map& map, const view_words& words,
                                             const event_choice& choice, sequence_number before,
                                             std::uint64_t limit);

}  // namespace pawl::cli
