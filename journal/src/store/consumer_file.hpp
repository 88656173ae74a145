// The files in `consumers`: reading one, and what all of them hold back.
#pragma once

#include "format/consumer_layout.hpp"
#include "os/directory_handle.hpp"
#include "os/file.hpp"

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/prune.hpp>
#include <pawl/journal/types.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::detail {

inline constexpr std::string_view consumers_name = "consumers";

[[nodiscard]] bool is_consumer_name(std::string_view name) noexcept;

// The directory of the consumers; nothing if the journal has none.
[[nodiscard]] result<std::optional<directory_handle>> find_consumers(
    const directory_handle& journal);

// What the file of a consumer says.
struct consumer_record {
    consumer_block newest{};
    std::size_t slot = 0;  // the block that holds it, 0 or 1
    sequence_number holds_from = 0;
};

// Refuses what is not a regular file as damaged: a pipe of that name must not block the caller.
[[nodiscard]] result<file> open_consumer(const directory_handle& consumers, std::string_view name,
                                         file::access mode);

// The record, whose origin must be the journal's. Fails with damaged, newer_format, diverged or io.
[[nodiscard]] result<consumer_record> read_consumer(const file& opened, std::string_view name,
                                                    const journal_id& origin);

[[nodiscard]] consumer_position position_of(const consumer_block& block) noexcept;
// The process that the block names.
[[nodiscard]] std::string owner_of(const consumer_block& block);
void seal(consumer_block& block) noexcept;  // sets the checksum

// locked if a process holds the lease, otherwise takes it for as long as the file is open.
[[nodiscard]] result<void> take_lease(const file& opened);
void end_lease(const file& opened) noexcept;
[[nodiscard]] result<bool> is_leased(const file& opened);

// The events that consumers have not handled yet, for a prune. Puts on stable storage what it takes
// as committed. Fails with unreadable_consumer if it cannot tell for one of them, but with the
// error itself if only descriptors, memory or space are short.
[[nodiscard]] result<std::vector<prune_hold>> consumer_holds(const directory_handle& journal,
                                                             const journal_id& origin);

}  // namespace pawl::detail
