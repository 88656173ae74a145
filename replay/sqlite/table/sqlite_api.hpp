// SQLite's interface: linked, or, in the loadable extension, that of the program that loads it.
#pragma once

#ifdef PAWL_SQLITE_EXTENSION
#include <sqlite3ext.h>
extern "C" {
SQLITE_EXTENSION_INIT3
}
#else
#include <sqlite3.h>
#endif

#include <string>
#include <string_view>

namespace pawl::detail {

// Text in quotes, as SQLite reads it: 'x' or "x".
[[nodiscard]] inline std::string in_quotes(std::string_view text, char quote) {
    std::string made{quote};
    for (const char c : text) {
        made += c;
        if (c == quote)
            made += c;
    }
    return made + quote;
}

// The reverse, of an argument of a module.
[[nodiscard]] inline std::string without_quotes(std::string_view text) {
    if (text.size() < 2 || (text.front() != '\'' && text.front() != '"') ||
        text.back() != text.front())
        return std::string{text};
    const char quote = text.front();
    std::string made;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        made += text[i];
        if (text[i] == quote && text[i + 1] == quote && i + 2 < text.size())
            ++i;
    }
    return made;
}

}  // namespace pawl::detail
