#include "append/append_line.hpp"

#include "append/members.hpp"
#include "append/metadata_json.hpp"
#include "events/base64.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <pawl/codec/utc_time.hpp>

#include <limits>
#include <utility>

namespace pawl::cli {

namespace {

using nlohmann::json;

std::unexpected<error> refuse(const member& at, std::string_view why) {
    return fail(errc::invalid_argument, fmt::format("column {}, {}: {}", at.column, at.name, why));
}

json value_of(const member& of) {
    return json::parse(of.value, nullptr, false);
}

template <class Integer>
result<Integer> number_of(const member& of) {
    const json value = value_of(of);
    if (!value.is_number_unsigned() ||
        value.get<std::uint64_t>() > std::numeric_limits<Integer>::max())
        return refuse(
            of, fmt::format("expected a number from 0 to {}", std::numeric_limits<Integer>::max()));
    return value.get<Integer>();
}

result<std::string> string_of(const member& of) {
    const json value = value_of(of);
    if (!value.is_string())
        return refuse(of, "expected a string");
    return value.get<std::string>();
}

result<std::uint64_t> time_of(const member& of) {
    const auto text = string_of(of);
    const auto time = text ? parse_utc(*text) : std::nullopt;
    if (!time)
        return refuse(of, "expected a time such as \"2026-11-23T14:02:00.000000000Z\"");
    return *time;
}

result<std::vector<std::byte>> bytes_of(const member& of) {
    const auto text = string_of(of);
    const bool is_base64 = of.name == "base64";
    auto bytes = !text ? std::nullopt : is_base64 ? from_base64(*text) : from_hex(*text);
    if (!bytes)
        return refuse(of, is_base64 ? "expected base64" : "expected hexadecimal digits");
    return std::move(*bytes);
}

// Stores a value, or returns its error.
template <class Value, class To>
result<void> store(result<Value> value, To& to) {
    if (!value)
        return std::unexpected(std::move(value.error()));
    to = std::move(*value);
    return {};
}

result<void> read_stream(const member& of, event_line& to) {
    if (of.value.starts_with('"'))
        return store(string_of(of), to.stream);
    return store(number_of<stream_id>(of), to.stream);
}

result<void> read_type(const member& of, event_line& to) {
    if (of.value.starts_with('"'))
        return store(string_of(of), to.type);
    auto stored = store(number_of<std::uint16_t>(of), to.type_number);
    if (stored)
        to.type = std::to_string(*to.type_number);
    return stored;
}

result<void> read_batch(const member& of, event_line& to) {
    if (of.value != "true" && of.value != "false")
        return refuse(of, "expected true or false");
    to.more_in_batch = of.value == "true";
    return {};
}

result<void> read_metadata(const member& of, event_line& to) {
    auto entries = metadata_from_json(of.value);
    if (!entries)
        return refuse(of, entries.error().detail);
    to.metadata = std::move(*entries);
    return {};
}

result<void> read_member(const member& of, event_line& to) {
    const std::string& name = of.name;
    if (name == "sequence")
        return store(number_of<std::uint64_t>(of), to.sequence);
    if (name == "time")
        return store(time_of(of), to.timestamp_ns);
    if (name == "stream")
        return read_stream(of, to);
    if (name == "type")
        return read_type(of, to);
    if (name == "type_number")
        return store(number_of<std::uint16_t>(of), to.type_number);
    if (name == "schema_version")
        return store(number_of<std::uint16_t>(of), to.schema_version);
    if (name == "more_in_batch")
        return read_batch(of, to);
    if (name == "metadata")
        return read_metadata(of, to);
    if (name == "payload" || name == "base64") {
        to.exact = name == "base64";
        return store(bytes_of(of), to.payload);
    }
    if (name == "event") {
        to.json = of.value;
        to.column = of.column;
        return {};
    }
    // The journal numbers them itself; and a reason is for people.
    if (name == "version" || name == "problem")
        return {};
    return refuse(of, "no line of a dump has such a member");
}

result<append_line> read_event(const std::vector<member>& members) {
    event_line made;
    for (const member& each : members)
        if (auto read = read_member(each, made); !read)
            return std::unexpected(std::move(read.error()));
    if (made.type.empty())
        return fail(errc::invalid_argument, "column 1: the line has no type");
    if (made.json.empty() == !made.payload.has_value())
        return fail(errc::invalid_argument,
                    "column 1: the line has neither or both of an event and a payload");
    return made;
}

result<append_line> read_name(const std::vector<member>& members) {
    name_line made;
    for (const member& each : members) {
        result<void> read = refuse(each, "no line of a stream's name has such a member");
        if (each.name == "names")
            read = store(string_of(each), made.named.name);
        else if (each.name == "stream")
            read = store(number_of<stream_id>(each), made.named.stream);
        else if (each.name == "time")
            read = store(time_of(each), made.named.timestamp_ns);
        if (!read)
            return std::unexpected(std::move(read.error()));
    }
    return made;
}

result<append_line> read_description(const std::vector<member>& members) {
    description_line made;
    recorded_description& to = made.described;
    for (const member& each : members) {
        result<void> read = refuse(each, "no line of a description has such a member");
        if (each.name == "describes")
            read = store(string_of(each), to.name);
        else if (each.name == "type_number")
            read = store(number_of<std::uint16_t>(each), to.type);
        else if (each.name == "schema_version")
            read = store(number_of<std::uint16_t>(each), to.schema_version);
        else if (each.name == "time")
            read = store(time_of(each), to.timestamp_ns);
        else if (each.name == "base64")
            read = store(bytes_of(each), to.bytes);
        if (!read)
            return std::unexpected(std::move(read.error()));
    }
    return made;
}

}  // namespace

result<append_line> read_dump_line(std::string_view text) {
    const auto members = members_of(text);
    if (!members)
        return std::unexpected(members.error());
    const auto has = [&](std::string_view name) {
        return std::ranges::find(*members, name, &member::name) != members->end();
    };
    if (has("names"))
        return read_name(*members);
    if (has("describes"))
        return read_description(*members);
    return read_event(*members);
}

}  // namespace pawl::cli
