#include "events/journal_words.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <pawl/journal/journal.hpp>

#include <charconv>
#include <utility>
#include <vector>

namespace pawl::cli {

// Reads every byte, for a journal whose words cannot be listed.
result<journal_words> journal_words::read_around_damage(const std::filesystem::path& directory) {
    journal_words words;
    std::vector<recorded_description> said;
    const auto report = verify(
        directory,
        {.visit_name = [&](const recorded_name& name) { words.add(name); },
         .visit_description = [&](const recorded_description& each) { said.push_back(each); }});
    if (!report)
        return std::unexpected(report.error());
    auto types = event_catalog::from(said);
    if (!types)
        return std::unexpected(std::move(types.error()));
    words.types_ = std::move(*types);
    return words;
}

result<journal_words> journal_words::read(const std::filesystem::path& directory) {
    auto types = event_catalog::load(directory);
    if (!types && types.error().code == errc::damaged)
        return read_around_damage(directory);
    if (!types)
        return std::unexpected(std::move(types.error()));
    const auto names = stream_names(directory);
    if (!names && names.error().code == errc::damaged)
        return read_around_damage(directory);
    if (!names)
        return std::unexpected(names.error());
    journal_words words;
    words.types_ = std::move(*types);
    for (const recorded_name& name : *names)
        words.add(name);
    return words;
}

void journal_words::add(const recorded_name& name) {
    const nlohmann::json text = name.name;
    try {
        streams_.emplace(name.stream, text.dump());
    } catch (const nlohmann::json::type_error&) {
        return;  // not UTF-8
    }
}

void journal_words::append_stream(std::string& to, stream_id stream) const {
    if (const std::string_view name = quoted_name_of(stream); !name.empty())
        to += name;
    else
        to += fmt::format_int{stream}.c_str();
}

result<std::uint16_t> journal_words::type_of(std::string_view text) const {
    std::uint16_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem == std::errc{} && end == text.data() + text.size())
        return number;
    if (const auto named = types_.type_named(text))
        return *named;
    std::string known;
    std::uint16_t before = 0;
    for (const described_event& each : types_.events())
        if (known.empty() || std::exchange(before, each.type) != each.type)
            known += fmt::format("{}{}", known.empty() ? "" : ", ", types_.name_of(each.type));
    return fail(errc::not_found,
                known.empty()
                    ? fmt::format("the journal describes no event types, so not '{}'", text)
                    : fmt::format("the journal describes no event type '{}'; it describes {}", text,
                                  known));
}

std::string_view name_of_type(const event_catalog& types, std::uint16_t type) {
    if (type < first_reserved_type)
        return types.name_of(type);
    switch (static_cast<reserved_type>(type)) {
        case reserved_type::erased:
            return "pawl.erased";
        case reserved_type::handled:
            return "pawl.handled";
        case reserved_type::promoted:
            return "pawl.promoted";
        case reserved_type::lost:
            return "pawl.lost";
    }
    return {};
}

}  // namespace pawl::cli
