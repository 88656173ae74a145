// Numbers and strings as JSON writes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pawl::detail {

void append_integer(std::string& to, std::int64_t value);
void append_integer(std::string& to, std::uint64_t value);

// The bits of a float or double: the shortest text that reads back as the same bits.
void append_float(std::string& to, std::uint32_t bits);
void append_double(std::string& to, std::uint64_t bits);

// The bits that "NaN", "Infinity" and the like stand for; false if the text is none of them.
[[nodiscard]] bool named_float(std::string_view text, std::uint32_t& bits) noexcept;
[[nodiscard]] bool named_double(std::string_view text, std::uint64_t& bits) noexcept;

// With quotes; the text is valid UTF-8.
void append_quoted(std::string& to, std::string_view text);

// The length of the character at the front of `text`, 0 if it is no valid UTF-8: overlong forms,
// surrogates and what lies above U+10FFFF are none.
[[nodiscard]] std::size_t utf8_length(std::string_view text) noexcept;
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;
void append_utf8(std::string& to, std::uint32_t character);

}  // namespace pawl::detail
