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
inline constexpr std::string_view snapshot_rejected = ".snap.rejected";
inline constexpr std::string_view snapshot_temporary = ".tmp";
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

// The snapshot_prefix that a file begins with, of any fold and state version; empty if none.
[[nodiscard]] inline std::string_view prefix_of(std::string_view file) noexcept {
    const std::size_t name_end = file.find("-v");
    if (name_end == std::string_view::npos || !is_snapshot_name(file.substr(0, name_end)))
        return {};
    const std::size_t version_end = file.find('-', name_end + 2);
    if (version_end == std::string_view::npos)
        return {};
    const std::string_view version = file.substr(name_end + 2, version_end - name_end - 2);
    if (version.empty() ||
        !std::ranges::all_of(version, [](char c) { return c >= '0' && c <= '9'; }))
        return {};
    return file.substr(0, version_end + 1);
}

// True if the file has the name of a snapshot, of any fold and state version.
[[nodiscard]] inline bool is_any_snapshot_file(std::string_view file) noexcept {
    const std::string_view prefix = prefix_of(file);
    return !prefix.empty() && is_snapshot_file(file, prefix, snapshot_ending);
}

// The prefix of a file that a fold of this name made: a snapshot, a rejected one, or one that was
// being written. Empty for any other file.
[[nodiscard]] inline std::string_view version_prefix_of(std::string_view file,
                                                        std::string_view name) noexcept {
    const std::string_view prefix = prefix_of(file);
    if (prefix.empty() || prefix.substr(0, prefix.find('-')) != name)
        return {};
    for (const auto ending : {snapshot_ending, snapshot_rejected, snapshot_temporary})
        if (is_snapshot_file(file, prefix, ending))
            return prefix;
    return {};
}

}  // namespace pawl::detail
