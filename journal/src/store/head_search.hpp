// Looking up in the log itself what a damaged run of stream heads cannot answer.
#pragma once

#include "os/directory_handle.hpp"
#include "store/head_slots.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace pawl::detail {

// The segments up to this one are looked at, newest first, and what was pruned before them. Cost:
// opens every segment and its index until one holds the answer; reads a segment that has no index.

// The head of a stream, or what is known of a tag; version 0 if there is none.
[[nodiscard]] result<stream_head> search_stream(const directory_handle& directory,
                                                const journal_id& id, std::uint64_t last_ordinal,
                                                stream_id stream);
[[nodiscard]] result<stream_head> search_tag(const directory_handle& directory,
                                             const journal_id& id, std::uint64_t last_ordinal,
                                             tag_id tag);
[[nodiscard]] result<std::optional<stream_id>> search_name(const directory_handle& directory,
                                                           const journal_id& id,
                                                           std::uint64_t last_ordinal,
                                                           std::string_view name);

}  // namespace pawl::detail
