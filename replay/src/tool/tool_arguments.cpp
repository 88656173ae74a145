#include "tool/tool_arguments.hpp"

#include <charconv>
#include <system_error>
#include <variant>

namespace pawl::detail {

namespace {

using target = std::variant<std::string*, std::uint64_t*, bool*, std::optional<std::uint64_t>*>;

struct option {
    std::string_view name;
    target into;
};

[[nodiscard]] bool is_listed(std::string_view list, std::string_view name) {
    while (!list.empty()) {
        const std::size_t end = list.find(' ');
        if (list.substr(0, end) == name)
            return true;
        list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
    }
    return false;
}

[[nodiscard]] std::optional<std::string> store(const option& to, std::string_view value) {
    if (value.empty())
        return std::string{to.name} + " needs a value";
    if (auto* const* text = std::get_if<std::string*>(&to.into)) {
        **text = value;
        return std::nullopt;
    }
    std::uint64_t number = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
    if (read.ec != std::errc{} || read.ptr != value.data() + value.size())
        return std::string{to.name} + " needs a number, not " + std::string{value};
    if (auto* const* place = std::get_if<std::uint64_t*>(&to.into))
        **place = number;
    else
        *std::get<std::optional<std::uint64_t>*>(to.into) = number;
    return std::nullopt;
}

}  // namespace

std::optional<std::string> parse_tool_arguments(const tool_usage& usage,
                                                std::span<const char* const> words,
                                                tool_arguments& into) {
    const option options[] = {{"--fold", &into.fold},       {"--json", &into.json},
                              {"--help", &into.help},       {"--full", &into.full},
                              {"--record", &into.record},   {"--every", &into.every},
                              {"--from", &into.from},       {"--to", &into.to},
                              {"--against", &into.against}, {"--before", &into.before}};
    constexpr std::string_view everywhere = "--fold --json --help";
    std::string* const further = usage.further == "PLACE" ? &into.place : &into.marks;
    for (std::size_t n = 0; n < words.size(); ++n) {
        const std::string_view word = words[n];
        if (!word.starts_with("--")) {
            std::string* to = into.directory.empty() ? &into.directory : further;
            if (word.empty() || (to == further && (usage.further.empty() || !to->empty())))
                return "an argument too many: " + std::string{word};
            *to = word;
            continue;
        }
        const std::size_t equals = word.find('=');
        const std::string_view name = word.substr(0, equals);
        const option* found = nullptr;
        for (const option& each : options)
            if (each.name == name &&
                (is_listed(everywhere, name) || is_listed(usage.options, name)))
                found = &each;
        if (found == nullptr)
            return "no such option: " + std::string{name};
        if (bool* const* flag = std::get_if<bool*>(&found->into)) {
            if (equals != std::string_view::npos)
                return std::string{name} + " takes no value";
            **flag = true;
            continue;
        }
        std::string_view value;
        if (equals != std::string_view::npos)
            value = word.substr(equals + 1);
        else if (n + 1 < words.size())
            value = words[++n];
        if (auto wrong = store(*found, value))
            return wrong;
    }
    if (into.help)
        return std::nullopt;
    if (into.directory.empty())
        return "DIR is missing";
    if (!usage.further.empty() && further->empty() && into.against.empty())
        return std::string{usage.further} + " is missing";
    if (into.every == 0)
        return "--every needs a number from 1 on";
    return std::nullopt;
}

}  // namespace pawl::detail
