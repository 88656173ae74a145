#include "json/text.hpp"

#include <pawl/codec/metadata_json.hpp>
#include <pawl/journal/detail/guarded.hpp>

#include <span>
#include <string_view>

namespace pawl {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

void append_hex(std::string& to, std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) {
        to += hex_digits[std::to_integer<unsigned>(byte >> 4)];
        to += hex_digits[std::to_integer<unsigned>(byte & std::byte{0x0f})];
    }
}

void append_quoted_hex(std::string& to, std::span<const std::byte> bytes) {
    to += '"';
    append_hex(to, bytes);
    to += '"';
}

// The number as 16 digits, from its top.
void append_hex(std::string& to, std::uint64_t number) {
    for (int shift = 60; shift >= 0; shift -= 4)
        to += hex_digits[number >> shift & 15];
}

void append_command(std::string& to, const command_reference& command) {
    to += R"({"id":)";
    append_quoted_hex(to, command.id);
    to += R"(,"hash":")";
    append_hex(to, command.hash);
    to += "\"}";
}

void append_trace(std::string& to, const trace_context& trace) {
    to += R"({"traceparent":"00-)";
    append_hex(to, trace.trace);
    to += '-';
    append_hex(to, trace.parent);
    to += '-';
    append_hex(to, std::as_bytes(std::span{&trace.flags, 1}));
    to += R"(","tracestate":)";
    detail::append_quoted(to, trace.state);
    to += '}';
}

void append_numbers(std::string& to, const number_list& numbers) {
    to += '[';
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (i != 0)
            to += ',';
        detail::append_integer(to, numbers[i]);
    }
    to += ']';
}

void append_standard(std::string& to, const metadata_view& all, const metadata_entry& entry) {
    switch (entry.tag) {
        case metadata_tag::command:
            to += R"("command":)";
            return append_command(to, *all.command());
        case metadata_tag::correlation:
            to += R"("correlation":)";
            return append_quoted_hex(to, entry.value);
        case metadata_tag::causation:
            to += R"("causation":)";
            return append_quoted_hex(to, entry.value);
        case metadata_tag::trace:
            to += R"("trace":)";
            return append_trace(to, *all.trace());
        case metadata_tag::actor:
            to += R"("actor":)";
            return detail::append_quoted(to, *all.actor());
        case metadata_tag::source_time:
            to += R"("source_time_ns":)";
            return detail::append_integer(to, *all.source_time_ns());
        case metadata_tag::tags:
            to += R"("tags":)";
            return append_numbers(to, all.tags());
        case metadata_tag::subjects:
            to += R"("subjects":)";
            return append_numbers(to, all.subjects());
    }
}

// A reader must know an entry that is critical, so it is shown as what it is. A JSON string cannot
// hold text that is not UTF-8.
[[nodiscard]] bool is_standard(const metadata_view& all, const metadata_entry& entry) {
    if (entry.critical || entry.tag < metadata_tag::command || entry.tag > metadata_tag::subjects)
        return false;
    if (entry.tag == metadata_tag::actor)
        return detail::is_utf8(*all.actor());
    return entry.tag != metadata_tag::trace || detail::is_utf8(all.trace()->state);
}

void append_other(std::string& to, const metadata_entry& entry) {
    to += R"({"tag":)";
    detail::append_integer(to, std::uint64_t{static_cast<std::uint16_t>(entry.tag)});
    to += R"(,"value":)";
    append_quoted_hex(to, entry.value);
    to += entry.critical ? R"(,"critical":true})" : "}";
}

void append_all(std::string& to, const metadata_view& all) {
    to += '{';
    all.for_each([&](const metadata_entry& entry) {
        if (!is_standard(all, entry))
            return;
        append_standard(to, all, entry);
        to += ',';
    });
    to += R"("others":[)";
    const std::size_t first = to.size();
    all.for_each([&](const metadata_entry& entry) {
        if (is_standard(all, entry))
            return;
        if (to.size() != first)
            to += ',';
        append_other(to, entry);
    });
    to += "]}";
}

}  // namespace

result<void> append_metadata_json(std::string& to, const metadata_view& all) {
    const std::size_t before = to.size();
    auto appended = detail::guarded([&] { append_all(to, all); });
    if (!appended)
        to.resize(before);
    return appended;
}

}  // namespace pawl
