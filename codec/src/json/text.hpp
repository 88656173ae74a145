// Writes numbers and strings as JSON.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pawl::detail {

void append_integer(std::string& to, std::int64_t value);
void append_integer(std::string& to, std::uint64_t value);

// Appends the shortest text that reads back as the same bits.
void append_float(std::string& to, std::uint32_t bits);
void append_double(std::string& to, std::uint64_t bits);

// Parses "NaN", "Infinity" and the like into their bits; false if the text is none of them.
[[nodiscard]] bool named_float(std::string_view text, std::uint32_t& bits) noexcept;
[[nodiscard]] bool named_double(std::string_view text, std::uint64_t& bits) noexcept;

// Appends `text` in quotes, escaped; it must be valid UTF-8.
void append_quoted(std::string& to, std::string_view text);

// Returns the length of the first character of `text`, or 0 if it is not valid UTF-8: overlong
// forms, surrogates and values above U+10FFFF are invalid.
[[nodiscard]] std::size_t utf8_length(std::string_view text) noexcept;
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;
void append_utf8(std::string& to, std::uint32_t character);

}  // namespace pawl::detail
