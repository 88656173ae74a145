#include "append/metadata_json.hpp"

#include "events/base64.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace pawl::cli {

namespace {

using nlohmann::json;
using entry = event_line::entry;
using bytes = std::vector<std::byte>;

void add_number(bytes& to, std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8)
        to.push_back(static_cast<std::byte>(number >> shift & 0xff));
}

void add_text(bytes& to, std::string_view text) {
    const auto raw = std::as_bytes(std::span{text});
    to.insert(to.end(), raw.begin(), raw.end());
}

std::optional<bytes> hex_of(const json& value, std::size_t length = 0) {
    auto made = value.is_string() ? from_hex(value.get_ref<const std::string&>()) : std::nullopt;
    if (made && length != 0 && made->size() != length)
        return std::nullopt;
    return made;
}

std::optional<bytes> command_of(const json& value) {
    auto made = value.is_object() && value.size() == 2 && value.contains("id")
                    ? hex_of(value["id"], 16)
                    : std::nullopt;
    const auto hash = made && value.contains("hash") ? hex_of(value["hash"], 8) : std::nullopt;
    if (!hash)
        return std::nullopt;
    made->insert(made->end(), hash->rbegin(), hash->rend());  // a number, shown from its top
    return made;
}

// "00-" trace "-" parent "-" flags.
std::optional<bytes> trace_of(const json& value) {
    if (!value.is_object() || value.size() != 2 || !value.contains("traceparent") ||
        !value["traceparent"].is_string() || !value.contains("tracestate") ||
        !value["tracestate"].is_string())
        return std::nullopt;
    const std::string parent = value["traceparent"];
    constexpr std::size_t length = 55;
    if (parent.size() != length || !parent.starts_with("00-") || parent[35] != '-' ||
        parent[52] != '-')
        return std::nullopt;
    auto made = from_hex(parent.substr(3, 32) + parent.substr(36, 16) + parent.substr(53, 2));
    if (made)
        add_text(*made, value["tracestate"].get_ref<const std::string&>());
    return made;
}

std::optional<bytes> numbers_of(const json& value) {
    if (!value.is_array())
        return std::nullopt;
    bytes made;
    for (const json& each : value) {
        if (!each.is_number_unsigned())
            return std::nullopt;
        add_number(made, each.get<std::uint64_t>());
    }
    return made;
}

// Numbers, or names of streams: those share their numbers with tags.
std::optional<entry> tags_of(const json& value) {
    if (!value.is_array())
        return std::nullopt;
    entry made{.tag = metadata_tag::tags};
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (!value[i].is_string() && !value[i].is_number_unsigned())
            return std::nullopt;
        if (value[i].is_string())
            made.names.emplace_back(i, value[i].get<std::string>());
        add_number(made.value, value[i].is_string() ? 0 : value[i].get<std::uint64_t>());
    }
    return made;
}

std::optional<bytes> actor_of(const json& value) {
    if (!value.is_string())
        return std::nullopt;
    bytes made;
    add_text(made, value.get_ref<const std::string&>());
    return made;
}

std::optional<bytes> time_of(const json& value) {
    if (!value.is_number_unsigned())
        return std::nullopt;
    bytes made;
    add_number(made, value.get<std::uint64_t>());
    return made;
}

std::optional<entry> standard_entry(const std::string& name, const json& value) {
    const auto made = [](metadata_tag tag, std::optional<bytes> of) {
        return of ? std::optional{entry{tag, std::move(*of)}} : std::nullopt;
    };
    if (name == "command")
        return made(metadata_tag::command, command_of(value));
    if (name == "correlation")
        return made(metadata_tag::correlation, hex_of(value, 16));
    if (name == "causation")
        return made(metadata_tag::causation, hex_of(value, 16));
    if (name == "trace")
        return made(metadata_tag::trace, trace_of(value));
    if (name == "actor")
        return made(metadata_tag::actor, actor_of(value));
    if (name == "source_time_ns")
        return made(metadata_tag::source_time, time_of(value));
    if (name == "tags")
        return tags_of(value);
    if (name == "subjects")
        return made(metadata_tag::subjects, numbers_of(value));
    return std::nullopt;
}

// {"tag": 32769, "value": "00ff"}
std::optional<entry> other_entry(const json& value) {
    if (!value.is_object() || !value.contains("tag") || !value["tag"].is_number_unsigned() ||
        value["tag"] > 0xffff || !value.contains("value"))
        return std::nullopt;
    auto of = hex_of(value["value"]);
    const bool critical = value.contains("critical") && value["critical"] == true;
    if (!of || value.size() != (value.contains("critical") ? 3U : 2U))
        return std::nullopt;
    return entry{metadata_tag{value["tag"].get<std::uint16_t>()}, std::move(*of), critical};
}

// As they lie in a frame: Pawl's own first, by tag, then the application's in the order given.
void insert_in_order(std::vector<entry>& entries, entry added) {
    const auto rank = [](const entry& of) {
        return std::min<unsigned>(static_cast<std::uint16_t>(of.tag), first_application_tag);
    };
    const auto place = std::ranges::upper_bound(entries, rank(added), {}, rank);
    entries.insert(place, std::move(added));
}

}  // namespace

result<std::vector<entry>> metadata_from_json(std::string_view text) {
    const auto object = nlohmann::ordered_json::parse(text, nullptr, false);
    if (!object.is_object())
        return fail(errc::invalid_argument, "expected an object");
    std::vector<entry> made;
    for (const auto& [name, value] : object.items()) {
        if (name == "others" && value.is_array()) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                auto other = other_entry(value[i]);
                if (!other)
                    return fail(errc::invalid_argument,
                                fmt::format("others[{}] is no tag with a value", i));
                insert_in_order(made, std::move(*other));
            }
            continue;
        }
        auto standard = standard_entry(name, value);
        if (!standard)
            return fail(errc::invalid_argument, fmt::format("{} is no entry of metadata", name));
        insert_in_order(made, std::move(*standard));
    }
    return made;
}

}  // namespace pawl::cli
