// Stream heads in memory: the version and last position of every stream, the last event of every
// tag, and the names assigned, up to the end of a sealed segment. Derived from the log.
#pragma once

#include "format/heads_layout.hpp"
#include "os/directory_handle.hpp"
#include "store/head_runs.hpp"
#include "store/head_slots.hpp"
#include "store/packed_names.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <span>

namespace pawl::detail {

// What the next open has to merge because no run holds it.
struct unwritten_heads {
    std::uint64_t entries = 0;   // of indexes: streams, tags and names
    std::uint64_t segments = 0;  // to which those indexes belong

    // Adds a segment whose index has `more` entries.
    void add(std::uint64_t more) noexcept {
        entries += more;
        ++segments;
    }
    // In entries: opening a segment and its index costs as much as merging several hundred.
    [[nodiscard]] std::uint64_t cost() const noexcept { return entries + segments * 512; }
};

struct stream_heads {
    head_slots slots;
    head_slots tags;
    name_map names;
    bool covers_something = false;  // false: the beginning of the journal
    std::uint64_t ordinal = 0;      // the last segment merged
    std::uint64_t epoch = 0;
    sequence_number end_sequence = 0;
    std::uint64_t streams_so_far = 0;  // of the journal up to there
    unwritten_heads unwritten{};       // merged from indexes
};

// The heads at the end of a segment: what the runs hold, and what is later, which decides.
struct log_heads {
    head_runs runs;
    stream_heads later;

    [[nodiscard]] std::uint64_t names() const noexcept { return runs.names() + later.names.size(); }
    [[nodiscard]] head_lookup find_stream(stream_id stream, stream_head& into) const noexcept {
        if (const stream_head* head = later.slots.find(stream)) {
            into = *head;
            return head_lookup::present;
        }
        return runs.find_stream(stream, into);
    }
};

[[nodiscard]] result<stream_heads> empty_heads(std::uint64_t expected_streams);
// Heads that continue the end of the runs, without any entries yet.
[[nodiscard]] result<stream_heads> heads_after(const head_runs& runs,
                                               std::uint64_t expected_streams);
// Everything that the runs hold, checked, with `later` on top. A single run's tables keep their
// layout. Cost: memory for all of it.
[[nodiscard]] result<stream_heads> gather_heads(const head_runs& runs, const stream_heads* later);
// The same for the runs in the directory, whatever the log holds. not_found if there are none, and
// damaged if one is not this journal's or a checksum is wrong.
[[nodiscard]] result<stream_heads> read_heads(const directory_handle& directory,
                                              const journal_id& id);

}  // namespace pawl::detail
