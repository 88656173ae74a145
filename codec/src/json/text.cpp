#include "json/text.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace pawl::detail {

namespace {

template <class Number>
void append_number(std::string& to, Number value) {
    std::array<char, 40> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    to.append(text.data(), end);
}

template <class Number>
struct float_bits;
template <>
struct float_bits<float> {
    using type = std::uint32_t;
    static constexpr type nan = 0x7fc00000;
    static constexpr type infinity = 0x7f800000;
};
template <>
struct float_bits<double> {
    using type = std::uint64_t;
    static constexpr type nan = type{0x7ff8} << 48;
    static constexpr type infinity = type{0x7ff0} << 48;
};

constexpr std::string_view nan_with_bits = "NaN(0x";

template <class Number>
void append_real(std::string& to, typename float_bits<Number>::type bits) {
    using expected = float_bits<Number>;
    const auto value = std::bit_cast<Number>(bits);
    if (std::isfinite(value)) [[likely]] {
        append_number(to, value);
    } else if (std::isinf(value)) {
        to += bits == expected::infinity ? "\"Infinity\"" : "\"-Infinity\"";
    } else if (bits == expected::nan) {
        to += "\"NaN\"";
    } else {
        std::array<char, 16> text;
        const auto end = std::to_chars(text.data(), text.data() + text.size(), bits, 16).ptr;
        to += '"';
        to += nan_with_bits;
        to.append(text.data(), end);
        to += ")\"";
    }
}

template <class Number>
bool named_real(std::string_view text, typename float_bits<Number>::type& bits) {
    using expected = float_bits<Number>;
    constexpr auto sign = static_cast<typename expected::type>(1) << (sizeof(Number) * 8 - 1);
    if (text == "NaN") {
        bits = expected::nan;
    } else if (text == "Infinity") {
        bits = expected::infinity;
    } else if (text == "-Infinity") {
        bits = expected::infinity | sign;
    } else if (text.starts_with(nan_with_bits) && text.ends_with(')')) {
        text.remove_prefix(nan_with_bits.size());
        text.remove_suffix(1);
        const char* end = text.data() + text.size();
        const auto [at, failed] = std::from_chars(text.data(), end, bits, 16);
        return failed == std::errc{} && at == end && std::isnan(std::bit_cast<Number>(bits));
    } else {
        return false;
    }
    return true;
}

// Bytes that a JSON string must escape.
constexpr auto escaped_bytes = [] {
    std::array<bool, 256> table{};
    for (std::size_t i = 0; i < 0x20; ++i)
        table[i] = true;
    table['"'] = true;
    table['\\'] = true;
    return table;
}();

void append_escaped(std::string& to, unsigned char byte) {
    constexpr std::string_view digits = "0123456789abcdef";
    to += '\\';
    switch (byte) {
        case '"':
        case '\\':
            to += static_cast<char>(byte);
            return;
        case '\b':
            to += 'b';
            return;
        case '\f':
            to += 'f';
            return;
        case '\n':
            to += 'n';
            return;
        case '\r':
            to += 'r';
            return;
        case '\t':
            to += 't';
            return;
        default:
            to += "u00";
            to += digits[byte >> 4];
            to += digits[byte & 15];
    }
}

}  // namespace

void append_integer(std::string& to, std::int64_t value) {
    append_number(to, value);
}
void append_integer(std::string& to, std::uint64_t value) {
    append_number(to, value);
}
void append_float(std::string& to, std::uint32_t bits) {
    append_real<float>(to, bits);
}
void append_double(std::string& to, std::uint64_t bits) {
    append_real<double>(to, bits);
}
bool named_float(std::string_view text, std::uint32_t& bits) noexcept {
    return named_real<float>(text, bits);
}
bool named_double(std::string_view text, std::uint64_t& bits) noexcept {
    return named_real<double>(text, bits);
}

void append_quoted(std::string& to, std::string_view text) {
    to += '"';
    std::size_t plain = 0;  // start of the text not copied yet
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (!escaped_bytes[byte])
            continue;
        to.append(text, plain, i - plain);
        append_escaped(to, byte);
        plain = i + 1;
    }
    to.append(text, plain);
    to += '"';
}

std::size_t utf8_length(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto continues = [&](std::size_t i, unsigned from = 0x80, unsigned to = 0xbf) {
        return i < text.size() && byte(i) >= from && byte(i) <= to;
    };
    if (text.empty())
        return 0;
    const unsigned char first = byte(0);
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return continues(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const unsigned from = first == 0xe0 ? 0xa0 : 0x80;  // not overlong
        const unsigned to = first == 0xed ? 0x9f : 0xbf;    // no surrogate
        return continues(1, from, to) && continues(2) ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const unsigned from = first == 0xf0 ? 0x90 : 0x80;
        const unsigned to = first == 0xf4 ? 0x8f : 0xbf;
        return continues(1, from, to) && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        // Checks eight ASCII bytes at once.
        std::uint64_t word = 0;
        if (text.size() >= sizeof word) {
            std::memcpy(&word, text.data(), sizeof word);
            if ((word & 0x8080808080808080U) == 0) {
                text.remove_prefix(sizeof word);
                continue;
            }
        }
        const std::size_t length = utf8_length(text);
        if (length == 0)
            return false;
        text.remove_prefix(length);
    }
    return true;
}

void append_utf8(std::string& to, std::uint32_t character) {
    const auto add = [&](std::uint32_t byte) { to += static_cast<char>(byte); };
    if (character < 0x80) {
        add(character);
    } else if (character < 0x800) {
        add(0xc0 | character >> 6);
        add(0x80 | (character & 0x3f));
    } else if (character < 0x10000) {
        add(0xe0 | character >> 12);
        add(0x80 | (character >> 6 & 0x3f));
        add(0x80 | (character & 0x3f));
    } else {
        add(0xf0 | character >> 18);
        add(0x80 | (character >> 12 & 0x3f));
        add(0x80 | (character >> 6 & 0x3f));
        add(0x80 | (character & 0x3f));
    }
}

}  // namespace pawl::detail
