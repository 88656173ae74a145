// The arguments of tool_main, apart: a command, its words and its options.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::detail {

struct tool_arguments {
    std::string directory{};
    std::string place{};    // as-of
    std::string marks{};    // replay-check
    std::string fold{};     // its name; empty: the first
    std::string against{};  // another program
    std::optional<std::uint64_t> before{};
    std::uint64_t every = 10'000;
    std::uint64_t from = 0;
    std::uint64_t to = std::numeric_limits<std::uint64_t>::max();
    bool json = false;
    bool full = false;
    bool record = false;
    bool help = false;
};

// What the words of a command are called; the first is always DIR.
struct tool_usage {
    std::string_view words;    // "as-of"
    std::string_view further;  // "PLACE", or empty
    std::string_view options;  // the names that it takes beside --fold, --json and --help
};

// Reads what follows the command's words. Returns why it is wrong usage; nothing if it is not.
[[nodiscard]] std::optional<std::string> parse_tool_arguments(const tool_usage& usage,
                                                              std::span<const char* const> words,
                                                              tool_arguments& into);

}  // namespace pawl::detail
