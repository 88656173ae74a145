#include "terminal/event_line.hpp"

#include "terminal/output.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace pawl::cli {

namespace {

void append_hex(fmt::memory_buffer& out, std::span<const std::byte> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    const std::size_t begin = out.size();
    out.resize(begin + 2 * bytes.size());
    char* to = out.data() + begin;
    for (const std::byte byte : bytes) {
        *to++ = digits[std::to_integer<unsigned>(byte >> 4)];
        *to++ = digits[std::to_integer<unsigned>(byte & std::byte{0x0f})];
    }
}

// As a JSON string; what is not UTF-8 is replaced.
void append_string(fmt::memory_buffer& out, std::string_view text) {
    using json = nlohmann::json;
    const std::string quoted = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
    out.append(quoted);
}

void append_numbers(fmt::memory_buffer& out, const number_list& numbers) {
    out.push_back('[');
    for (std::size_t i = 0; i < numbers.size(); ++i)
        fmt::format_to(std::back_inserter(out), "{}{}", i == 0 ? "" : ",", numbers[i]);
    out.push_back(']');
}

void append_quoted_hex(fmt::memory_buffer& out, std::span<const std::byte> bytes) {
    out.push_back('"');
    append_hex(out, bytes);
    out.push_back('"');
}

void append_command(fmt::memory_buffer& out, const command_reference& command) {
    out.append(std::string_view{R"({"id":)"});
    append_quoted_hex(out, command.id);
    fmt::format_to(std::back_inserter(out), R"(,"hash":"{:016x}"}})", command.hash);
}

void append_trace(fmt::memory_buffer& out, const trace_context& trace) {
    fmt::format_to(std::back_inserter(out), R"({{"traceparent":"00-)");
    append_hex(out, trace.trace);
    out.push_back('-');
    append_hex(out, trace.parent);
    fmt::format_to(std::back_inserter(out), R"(-{:02x}","tracestate":)", trace.flags);
    append_string(out, trace.state);
    out.push_back('}');
}

// The value of a tag that is not Pawl's, or not of this version, in hexadecimal.
void append_entry(fmt::memory_buffer& out, const metadata_view& all, const metadata_entry& entry) {
    const auto key = [&](std::string_view name) {
        fmt::format_to(std::back_inserter(out), R"("{}":)", name);
    };
    switch (entry.tag) {
        case metadata_tag::command:
            key("command");
            return append_command(out, *all.command());
        case metadata_tag::correlation:
            key("correlation");
            return append_quoted_hex(out, entry.value);
        case metadata_tag::causation:
            key("causation");
            return append_quoted_hex(out, entry.value);
        case metadata_tag::trace:
            key("trace");
            return append_trace(out, *all.trace());
        case metadata_tag::actor:
            key("actor");
            return append_string(out, *all.actor());
        case metadata_tag::source_time:
            key("source_time_ns");
            fmt::format_to(std::back_inserter(out), "{}", *all.source_time_ns());
            return;
        case metadata_tag::tags:
            key("tags");
            return append_numbers(out, all.tags());
        case metadata_tag::subjects:
            key("subjects");
            return append_numbers(out, all.subjects());
    }
}

// A reader must know an entry that is critical, so it is shown as what it is.
[[nodiscard]] bool is_standard(const metadata_entry& entry) {
    return !entry.critical && entry.tag >= metadata_tag::command &&
           entry.tag <= metadata_tag::subjects;
}

}  // namespace

// The entries that are not standard, of which a tag may have several, are an array.
void append_metadata(fmt::memory_buffer& out, const metadata_view& all) {
    fmt::format_to(std::back_inserter(out), R"("metadata":{{)");
    std::string_view separator;
    all.for_each([&](const metadata_entry& entry) {
        if (!is_standard(entry))
            return;
        out.append(std::exchange(separator, ","));
        append_entry(out, all, entry);
    });
    fmt::format_to(std::back_inserter(out), R"({}"others":[)", separator);
    separator = {};
    all.for_each([&](const metadata_entry& entry) {
        if (is_standard(entry))
            return;
        fmt::format_to(std::back_inserter(out), R"({}{{"tag":{},"value":)",
                       std::exchange(separator, ","), static_cast<std::uint16_t>(entry.tag));
        append_quoted_hex(out, entry.value);
        out.append(std::string_view{entry.critical ? R"(,"critical":true})" : "}"});
    });
    fmt::format_to(std::back_inserter(out), "]}},");
}

void append_json_line(fmt::memory_buffer& out, const event& e) {
    fmt::format_to(std::back_inserter(out),
                   R"({{"sequence":{},"timestamp_ns":{},"stream":{},"version":{},"type":{},)"
                   R"("schema_version":{},"more_in_batch":{},"segment":{},"offset":{},)"
                   R"("hash":"{:016x}","content_hash":"{:016x}",)",
                   e.sequence(), e.timestamp_ns(), e.stream(), e.version(), e.type(),
                   e.schema_version(), e.more_in_batch(), e.position().ordinal, e.position().offset,
                   e.frame_hash(), e.content_hash());
    if (!e.metadata().empty())
        append_metadata(out, e.metadata());
    fmt::format_to(std::back_inserter(out), R"("payload":")");
    append_hex(out, e.payload());
    fmt::format_to(std::back_inserter(out), "\"}}\n");
}

void append_text_line(fmt::memory_buffer& out, const event& e) {
    fmt::format_to(std::back_inserter(out), "{:>12}  {}  ", e.sequence(),
                   time_text(e.timestamp_ns()));
    if (e.stream() == no_stream_id)
        fmt::format_to(std::back_inserter(out), "-");
    else
        fmt::format_to(std::back_inserter(out), "{}@{}", e.stream(), e.version());
    fmt::format_to(std::back_inserter(out), "  {}/{}  {} bytes  ", e.type(), e.schema_version(),
                   e.payload().size());
    constexpr std::size_t shown_bytes = 24;
    append_hex(out, e.payload().first(std::min(shown_bytes, e.payload().size())));
    fmt::format_to(std::back_inserter(out), "{}{}\n", e.payload().size() > shown_bytes ? "…" : "",
                   e.more_in_batch() ? "  +" : "");
}

}  // namespace pawl::cli
