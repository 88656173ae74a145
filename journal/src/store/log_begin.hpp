// Where a journal's log begins: with segment 0, or after what a prune removed.
#pragma once

#include "format/segment_layout.hpp"
#include "os/directory_handle.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <vector>

namespace pawl::detail {

// How the previous segment ended, which the next one must continue.
struct segment_end {
    bool known = false;  // false before the first segment
    system_type type{};
    std::uint64_t epoch = 0;
    std::uint64_t offset = 0;
    std::uint64_t hash = 0;
    std::uint64_t successor_epoch = 0;
    sequence_number sequence = 0;  // the next event's
    std::uint64_t ordinal = 0;
};

struct log_begin {
    std::uint64_t ordinal = 0;       // of the first segment
    segment_end before{};            // of the segment before it
    log_point point{};               // of a reader that has read everything before
    std::uint64_t digest = 0;        // of the log up to there
    std::uint64_t names_digest = 0;  // what names add to it with the first event

    [[nodiscard]] sequence_number sequence() const noexcept { return point.next; }
    [[nodiscard]] bool is_pruned() const noexcept { return ordinal != 0; }
};

// As `retained` says, of whose two copies the one with the greater ordinal counts; {} if there is
// none. damaged if none of those that are there can be read, newer_format.
[[nodiscard]] result<log_begin> read_log_begin(const directory_handle& directory,
                                               const journal_id& id);

// The error of a reader that asks for what lies before the beginning.
[[nodiscard]] error before_the_beginning(const log_begin& begin, const directory_handle& directory,
                                         sequence_number wanted);

// The segments of the log that are there, ascending. What lies below the beginning is no longer
// part of the log: a prune that was interrupted leaves it.
[[nodiscard]] result<std::vector<std::uint64_t>> list_log(const directory_handle& directory,
                                                          const log_begin& begin);

// Runs read(begin), and again if the log was pruned meanwhile: a prune moves the beginning before
// it removes anything, so whatever `read` missed lies before the beginning that it is given next.
template <class Read>
[[nodiscard]] auto read_beside_prunes(const directory_handle& directory, const journal_id& id,
                                      const Read& read) -> decltype(read(log_begin{})) {
    for (;;) {
        const auto begin = read_log_begin(directory, id);
        if (!begin)
            return std::unexpected(begin.error());
        auto done = read(*begin);
        const auto now = read_log_begin(directory, id);
        if (!now || now->ordinal == begin->ordinal)
            return done;
    }
}

}  // namespace pawl::detail
