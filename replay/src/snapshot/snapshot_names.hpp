// The names of snapshot files.
#pragma once

#include "snapshot/snapshot_layout.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace pawl::detail {

[[nodiscard]] inline bool is_snapshot_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= max_snapshot_name &&
           std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

// The prefix of the files of one fold and state version, such as books-v2-. A fold's name holds no
// dash, so no prefix begins another.
[[nodiscard]] inline std::string snapshot_prefix(std::string_view name,
                                                 std::uint32_t state_version) {
    return std::string{name} + "-v" + std::to_string(state_version) + "-";
}

inline constexpr std::string_view snapshot_ending = ".snap";
inline constexpr std::size_t sequence_digits = 20;

// Pads with zeros, so that names sort in the order of their sequences.
[[nodiscard]] inline std::string sequence_text(std::uint64_t sequence) {
    char text[sequence_digits + 1];
    std::snprintf(text, sizeof text, "%020llu", static_cast<unsigned long long>(sequence));
    return text;
}

// True if `file` is `prefix`, a sequence and `ending`.
[[nodiscard]] inline bool is_snapshot_file(std::string_view file, std::string_view prefix,
                                           std::string_view ending) noexcept {
    if (file.size() != prefix.size() + sequence_digits + ending.size())
        return false;
    const std::string_view digits = file.substr(prefix.size(), sequence_digits);
    return file.starts_with(prefix) && file.ends_with(ending) &&
           std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
}

// True if the file has the name of a snapshot, of any fold and state version.
[[nodiscard]] inline bool is_any_snapshot_file(std::string_view file) noexcept {
    const std::size_t name_end = file.find("-v");
    if (name_end == std::string_view::npos || !is_snapshot_name(file.substr(0, name_end)))
        return false;
    const std::size_t version_end = file.find('-', name_end + 2);
    if (version_end == std::string_view::npos)
        return false;
    const std::string_view version = file.substr(name_end + 2, version_end - name_end - 2);
    return !version.empty() &&
           std::ranges::all_of(version, [](char c) { return c >= '0' && c <= '9'; }) &&
           is_snapshot_file(file, file.substr(0, version_end + 1), snapshot_ending);
}

}  // namespace pawl::detail
