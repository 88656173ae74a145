// Times as text: UTC, in the form of ISO 8601, with nine decimals.
#pragma once

#include <pawl/journal/error.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace pawl {

// Appends "2026-11-23T14:02:00.000000000Z"; `nanoseconds` count from the Unix epoch.
void append_utc(std::string& to, std::uint64_t nanoseconds);

// Parses such a text, or its beginning: the date, the date with hours, minutes, seconds or a
// fraction of a second, with or without a Z. Nothing if it is none, or no time between 1970 and
// 2554.
[[nodiscard]] std::optional<std::uint64_t> parse_utc(std::string_view text) noexcept;

// The same of a time of day, "14:02" or "14:02:30.5", as nanoseconds since midnight.
[[nodiscard]] std::optional<std::uint64_t> parse_time_of_day(std::string_view text) noexcept;

inline constexpr std::uint64_t nanoseconds_in_day = 86'400'000'000'000;

// The start of the day, UTC, of a journal's last event, as nanoseconds since the Unix epoch: the
// day that a time without a date means. Nothing without an event. Fails like cursor::open.
[[nodiscard]] result<std::optional<std::uint64_t>> last_day(const std::filesystem::path& directory,
                                                            bool allow_network_file_system = false);

// A time as parse_utc reads it, or a time of day, which is one of that day. Fails with
// invalid_argument if the text is neither, and like last_day.
[[nodiscard]] result<std::uint64_t> find_time(const std::filesystem::path& directory,
                                              std::string_view text,
                                              bool allow_network_file_system = false);

}  // namespace pawl
