#include "events/base64.hpp"

#include <cstdint>

namespace pawl::cli {

namespace {

constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view hex_digits = "0123456789abcdef";

}  // namespace

void append_base64(std::string& to, std::span<const std::byte> bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const std::size_t count = bytes.size() - at < 3 ? bytes.size() - at : 3;
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < 3; ++i)
            group = group << 8 | (i < count ? std::to_integer<std::uint32_t>(bytes[at + i]) : 0);
        for (std::size_t i = 0; i < 4; ++i)
            to += i <= count ? base64_digits[group >> (18 - 6 * i) & 63] : '=';
    }
}

std::optional<std::vector<std::byte>> from_base64(std::string_view text) {
    if (text.size() % 4 != 0)
        return std::nullopt;
    std::vector<std::byte> bytes;
    bytes.reserve(text.size() / 4 * 3);
    for (std::size_t at = 0; at < text.size(); at += 4) {
        const bool last = at + 4 == text.size();
        std::size_t count = 3;
        if (last && text[at + 3] == '=')
            count = text[at + 2] == '=' ? 1 : 2;
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            const std::size_t digit = i <= count ? base64_digits.find(text[at + i]) : 0;
            if (digit == std::string_view::npos)
                return std::nullopt;
            group = group << 6 | static_cast<std::uint32_t>(digit);
        }
        for (std::size_t i = 0; i < count; ++i)
            bytes.push_back(static_cast<std::byte>(group >> (16 - 8 * i) & 0xff));
    }
    return bytes;
}

void append_hex(std::string& to, std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) {
        to += hex_digits[std::to_integer<unsigned>(byte >> 4)];
        to += hex_digits[std::to_integer<unsigned>(byte & std::byte{0x0f})];
    }
}

std::optional<std::vector<std::byte>> from_hex(std::string_view text) {
    if (text.size() % 2 != 0)
        return std::nullopt;
    std::vector<std::byte> bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t at = 0; at < text.size(); at += 2) {
        const std::size_t high = hex_digits.find(text[at]);
        const std::size_t low = hex_digits.find(text[at + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos)
            return std::nullopt;
        bytes.push_back(static_cast<std::byte>(high << 4 | low));
    }
    return bytes;
}

}  // namespace pawl::cli
