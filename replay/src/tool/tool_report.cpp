#include "tool/tool_report.hpp"

#include <cstdio>
#include <type_traits>

namespace pawl::detail {

namespace {

constexpr std::size_t name_columns = 18;

void append_line(std::string& to, const std::string& name, const std::string& value) {
    to += name;
    to.append(name.size() < name_columns ? name_columns - name.size() : 0, ' ');
    to += ' ';
    to += value;
    to += '\n';
}

void append_json_string(std::string& to, std::string_view text) {
    constexpr unsigned char first_printable = 0x20;
    to += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            to += '\\';
            to += c;
        } else if (static_cast<unsigned char>(c) < first_printable) {
            char escaped[7];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned char>(c));
            to += escaped;
        } else {
            to += c;
        }
    }
    to += '"';
}

template <class Value>
inline constexpr bool is_list = std::is_same_v<Value, std::vector<std::string>>;

}  // namespace

std::string to_lines(const tool_report& report) {
    std::string text;
    for (const state_field& field : report)
        std::visit(
            [&]<class Value>(const Value& value) {
                if constexpr (is_list<Value>)
                    for (const std::string& each : value)
                        append_line(text, field.name, each);
                else if constexpr (std::is_same_v<Value, std::string>)
                    append_line(text, field.name, value);
                else
                    append_line(text, field.name, std::to_string(value));
            },
            field.value);
    return text;
}

std::string to_json(const tool_report& report) {
    std::string text = "{";
    for (const state_field& field : report) {
        text += text.size() == 1 ? "\n  " : ",\n  ";
        append_json_string(text, field.name);
        text += ": ";
        std::visit(
            [&]<class Value>(const Value& value) {
                if constexpr (is_list<Value>) {
                    text += '[';
                    for (const std::string& each : value) {
                        text += &each == value.data() ? "\n    " : ",\n    ";
                        append_json_string(text, each);
                    }
                    text += value.empty() ? "]" : "\n  ]";
                } else if constexpr (std::is_same_v<Value, std::string>) {
                    append_json_string(text, value);
                } else {
                    text += std::to_string(value);
                }
            },
            field.value);
    }
    return text + "\n}\n";
}

int print_tool_text(const std::string& text, int exit_status) {
    if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0)
        return exit_status;
    std::perror("standard output");
    return 1;
}

std::string hexadecimal(std::uint64_t value) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
    return text;
}

}  // namespace pawl::detail
