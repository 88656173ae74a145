#include "report.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

namespace exchange {
namespace {

std::string to_text(const report& value) {
    if (value.is_null())
        return "none";
    return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

int print(const report& values, bool json, int exit_code) {
    std::string text;
    if (json) {
        text = values.dump(2) + '\n';
    } else {
        for (const auto& [name, value] : values.items()) {
            const auto lines = value.is_array() ? value : report::array({value});
            for (const auto& line : lines)
                text += fmt::format("{:<18} {}\n", name, to_text(line));
        }
    }
    if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0)
        return exit_code;
    std::perror("pawl-exchange: standard output");
    return 1;
}

int complain(const pawl::error& what) {
    std::fputs(fmt::format("pawl-exchange: {}\n", what.message()).c_str(), stderr);
    return 1;
}

report snapshot_used(const pawl::restore_report& restored) {
    return restored.used ? report(restored.used->path.filename().string()) : report();
}

std::string in_words(reason why) {
    std::string words = EnumNamereason(why);
    std::ranges::replace(words, '_', ' ');
    return words;
}

std::string hexadecimal(std::uint64_t value) {
    return fmt::format("{:016x}", value);
}

}  // namespace exchange
