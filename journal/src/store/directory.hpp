// The journal's directory: names of its files, its identity, its list of segments.
#pragma once

#include "format/directory_layout.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace pawl::detail {

[[nodiscard]] std::filesystem::path identity_path(const std::filesystem::path& directory);
[[nodiscard]] std::filesystem::path control_path(const std::filesystem::path& directory);
[[nodiscard]] std::filesystem::path lock_path(const std::filesystem::path& directory);
[[nodiscard]] std::filesystem::path heads_path(const std::filesystem::path& directory);
[[nodiscard]] std::filesystem::path torn_path(const std::filesystem::path& directory);
[[nodiscard]] std::filesystem::path segment_path(const std::filesystem::path& directory,
                                                 std::uint64_t ordinal);
[[nodiscard]] std::filesystem::path index_path(const std::filesystem::path& directory,
                                               std::uint64_t ordinal);
// 0000000003-00ab12… : a torn segment's or its bytes' name without the ending.
[[nodiscard]] std::string torn_stem(std::uint64_t ordinal, std::uint64_t epoch);

// Ordinals of the segment files, ascending.
[[nodiscard]] result<std::vector<std::uint64_t>> list_segments(
    const std::filesystem::path& directory);

// Whether the directory may become a journal: it is missing, empty, or holds only what a creation
// that was interrupted leaves behind.
[[nodiscard]] result<bool> is_blank(const std::filesystem::path& directory);

// Reads and checks journal.pawl. not_a_journal, newer_format, damaged.
[[nodiscard]] result<identity> read_identity(const std::filesystem::path& directory);
// A zero origin makes an original.
[[nodiscard]] result<identity> create_identity(const std::filesystem::path& directory,
                                               std::uint64_t segment_bytes,
                                               const journal_id& origin, std::uint32_t mode);
[[nodiscard]] journal_id id_of(const identity& from) noexcept;
[[nodiscard]] journal_identity identity_of(const identity& from) noexcept;
// The first 8 bytes of the id, which bind small checksums to this journal.
[[nodiscard]] std::uint64_t id_word(const journal_id& id) noexcept;

// network_file_system where the directory lies on one.
[[nodiscard]] result<void> refuse_network_file_system(const std::filesystem::path& directory);

// Drops what interrupted operations left: *.tmp files.
[[nodiscard]] result<void> remove_temporaries(const std::filesystem::path& directory);

[[nodiscard]] std::uint64_t random_nonzero();
[[nodiscard]] std::uint64_t system_time_ns() noexcept;

}  // namespace pawl::detail
