// The commands of the log, as the indexes list them: a chain of the segments that hold any, which
// an open follows back until it has enough.
#pragma once

#include "format/index_layout.hpp"
#include "format/retained_layout.hpp"
#include "os/directory_handle.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace pawl::detail {

// A command and the segment in which its first event lies; if that was pruned, at offset 0 of
// segment 0.
struct logged_command {
    index_command command{};
    std::uint64_t ordinal = 0;
};

// The commands of segments that have no index yet, by ordinal, where their frames were read anyway.
using unindexed_commands = std::map<std::uint64_t, std::vector<index_command>>;

// Sets index_header::commands_back. Reads the table of the index before, and of those before it
// where one is missing.
[[nodiscard]] result<void> link_commands(index_header& header, const directory_handle& directory,
                                         const journal_id& id);

// How `retained` keeps a command.
[[nodiscard]] retained_command retained_of(const index_command& command) noexcept;

// The last `most` commands of these segments, which ascend, the oldest first. Opens only segments
// that hold some, and the last; fails with newer_format, damaged or io.
[[nodiscard]] result<std::vector<logged_command>> load_commands(
    const directory_handle& directory, const journal_id& id,
    std::span<const std::uint64_t> ordinals, std::uint64_t most, const unindexed_commands& read);

// Puts commands of what was pruned before them, until there are `most`. They lie at no place: their
// events are gone.
void add_retained(std::vector<logged_command>& commands, std::span<const retained_command> retained,
                  std::uint64_t most);

}  // namespace pawl::detail
