// What is left of what was pruned: where the log begins, and all that segments before it said and
// later ones do not say again. Unlike indexes and stream heads it cannot be rebuilt.
#pragma once

#include "format/heads_layout.hpp"
#include "format/retained_layout.hpp"
#include "store/heads_file.hpp"
#include "store/log_begin.hpp"
#include "store/packed_names.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pawl::detail {

inline constexpr std::string_view retained_name = "retained";
inline constexpr std::string_view retained_copy_name = "retained.copy";

struct retained_log {
    log_begin begin{};
    std::uint64_t must_know = 0;  // bit n: system frames of type n were pruned
    std::uint64_t events = 0;     // pruned so far
    std::uint64_t bytes = 0;      // of the segments pruned so far
    std::uint64_t pruned_ns = 0;
    std::vector<stream_head> streams;  // at the beginning of the log, ascending by number
    std::vector<stream_head> tags;     // the same of tags
    std::vector<retained_command> commands;
    name_map names;
    std::vector<recorded_description> descriptions;  // in log order
};

// Nothing if nothing was ever pruned. Errors as read_log_begin.
[[nodiscard]] result<std::optional<retained_log>> read_retained(const directory_handle& directory,
                                                                const journal_id& id);
// One of the two copies; nothing if it is not there.
[[nodiscard]] result<std::optional<retained_log>> read_retained_copy(
    const directory_handle& directory, const journal_id& id, std::string_view name);
// Writes both copies, one after the other, each as a whole and durable before the next.
[[nodiscard]] result<void> write_retained(const directory_handle& directory, const journal_id& id,
                                          const retained_log& kept);

// A file as it lies in memory; errors name `path`.
[[nodiscard]] result<retained_header> check_retained_header(std::span<const std::byte> bytes,
                                                            const std::filesystem::path& path,
                                                            const journal_id& id);
[[nodiscard]] result<retained_log> parse_retained(std::span<const std::byte> bytes,
                                                  const std::filesystem::path& path,
                                                  const journal_id& id);

// The stream heads at the beginning of the log.
[[nodiscard]] result<stream_heads> heads_of(const retained_log& kept,
                                            std::uint64_t expected_streams);

}  // namespace pawl::detail
