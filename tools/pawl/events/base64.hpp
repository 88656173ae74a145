// Bytes as base64 and as hexadecimal (RFC 4648), and back.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::cli {

void append_base64(std::string& to, std::span<const std::byte> bytes);
// Nothing if the text is not whole, padded base64.
[[nodiscard]] std::optional<std::vector<std::byte>> from_base64(std::string_view text);

void append_hex(std::string& to, std::span<const std::byte> bytes);
[[nodiscard]] std::optional<std::vector<std::byte>> from_hex(std::string_view text);

}  // namespace pawl::cli
