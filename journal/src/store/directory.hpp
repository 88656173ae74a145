// The journal's directory: names of its files, its identity, its list of segments.
#pragma once

#include "format/directory_layout.hpp"
#include "os/directory_handle.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::detail {

inline constexpr std::string_view identity_name = "journal.pawl";
inline constexpr std::string_view control_name = "control";
inline constexpr std::string_view lock_name = "writer.lock";
inline constexpr std::string_view heads_name = "streams";
inline constexpr std::string_view torn_name = "torn";
// At least ten digits.
[[nodiscard]] std::string ordinal_name(std::uint64_t ordinal);
[[nodiscard]] std::string segment_name(std::uint64_t ordinal);
[[nodiscard]] std::string index_name(std::uint64_t ordinal);

[[nodiscard]] std::filesystem::path identity_path(const std::filesystem::path& directory);
[[nodiscard]] std::filesystem::path control_path(const std::filesystem::path& directory);
[[nodiscard]] std::filesystem::path lock_path(const std::filesystem::path& directory);
[[nodiscard]] std::filesystem::path heads_path(const std::filesystem::path& directory);
[[nodiscard]] std::filesystem::path segment_path(const std::filesystem::path& directory,
                                                 std::uint64_t ordinal);
[[nodiscard]] std::filesystem::path index_path(const std::filesystem::path& directory,
                                               std::uint64_t ordinal);
// 0000000003-00ab12…: the name of a torn segment, or of bytes from it, without the extension.
[[nodiscard]] std::string torn_stem(std::uint64_t ordinal, std::uint64_t epoch);

// Ordinals of the segment files, ascending.
[[nodiscard]] result<std::vector<std::uint64_t>> list_segments(const directory_handle& directory);

// The not_a_journal error for a directory without journal.pawl. It says whether the directory does
// not exist or is empty, or what else is in it.
[[nodiscard]] error no_journal_in(const directory_handle& directory);

// The directory of a journal. not_a_journal if there is none at this path.
[[nodiscard]] result<directory_handle> hold_journal(const std::filesystem::path& path);
// An entry that keeps the directory from becoming a journal. Empty if there is none: the directory
// is empty, or holds only what an interrupted creation leaves.
[[nodiscard]] result<std::string> foreign_entry(const directory_handle& directory);

// Reads and checks journal.pawl. Fails with not_a_journal, newer_format or damaged.
[[nodiscard]] result<identity> read_identity(const directory_handle& directory);
// A zero origin makes an original.
[[nodiscard]] result<identity> create_identity(const directory_handle& directory,
                                               std::uint64_t segment_bytes,
                                               const journal_id& origin, std::uint32_t mode);
[[nodiscard]] journal_id id_of(const identity& from) noexcept;
[[nodiscard]] journal_identity identity_of(const identity& from) noexcept;
// The first 8 bytes of the id, which bind small checksums to this journal.
[[nodiscard]] std::uint64_t id_word(const journal_id& id) noexcept;

// The kind of network file system, FUSE included, that the directory is on or would be made on;
// empty for any other.
[[nodiscard]] result<std::string_view> network_file_system_of(
    const std::filesystem::path& directory);
// network_file_system if the directory is on one.
[[nodiscard]] result<void> refuse_network_file_system(const std::filesystem::path& directory);

// Removes what interrupted operations left: *.tmp files.
[[nodiscard]] result<void> remove_temporaries(const directory_handle& directory);

[[nodiscard]] std::uint64_t random_nonzero();
[[nodiscard]] std::uint64_t system_time_ns() noexcept;

}  // namespace pawl::detail
