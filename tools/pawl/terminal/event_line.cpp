#include "terminal/event_line.hpp"

#include "terminal/output.hpp"

#include <pawl/codec/metadata_json.hpp>

#include <algorithm>
#include <iterator>
#include <new>

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

}  // namespace

void append_metadata(std::string& to, const metadata_view& all) {
    to += R"("metadata":)";
    if (!append_metadata_json(to, all))
        throw std::bad_alloc{};
    to += ',';
}

void append_json_line(fmt::memory_buffer& out, const event& e) {
    fmt::format_to(std::back_inserter(out),
                   R"({{"sequence":{},"timestamp_ns":{},"stream":{},"version":{},"type":{},)"
                   R"("schema_version":{},"more_in_batch":{},"segment":{},"offset":{},)"
                   R"("hash":"{:016x}","content_hash":"{:016x}",)",
                   e.sequence(), e.timestamp_ns(), e.stream(), e.version(), e.type(),
                   e.schema_version(), e.more_in_batch(), e.position().ordinal, e.position().offset,
                   e.frame_hash(), e.content_hash());
    if (!e.metadata().empty()) {
        std::string metadata;
        append_metadata(metadata, e.metadata());
        out.append(metadata);
    }
    fmt::format_to(std::back_inserter(out), R"("payload":")");
    append_hex(out, e.payload());
    fmt::format_to(std::back_inserter(out), "\"}}\n");
}

void append_text_line(fmt::memory_buffer& out, const event& e) {
    const std::size_t begin = out.size();
    constexpr std::size_t to_the_microsecond = 26;
    fmt::format_to(std::back_inserter(out), "{:>10}  {}Z  ", e.sequence(),
                   time_text(e.timestamp_ns()).substr(0, to_the_microsecond));
    if (e.stream() == no_stream_id)
        fmt::format_to(std::back_inserter(out), "-");
    else
        fmt::format_to(std::back_inserter(out), "{}@{}", e.stream(), e.version());
    fmt::format_to(std::back_inserter(out), "  {}/{}  {} bytes  ", e.type(), e.schema_version(),
                   e.payload().size());
    // As much of the payload as leaves room on a line of 80 columns.
    constexpr std::size_t columns = 80;
    const std::size_t taken = out.size() - begin + (e.more_in_batch() ? 3 : 0) + 1;
    const std::size_t shown_bytes =
        std::min(taken < columns ? (columns - taken) / 2 : 0, e.payload().size());
    append_hex(out, e.payload().first(shown_bytes));
    const bool cut_short = taken <= columns && e.payload().size() > shown_bytes;
    fmt::format_to(std::back_inserter(out), "{}{}\n", cut_short ? "…" : "",
                   e.more_in_batch() ? "  +" : "");
}

}  // namespace pawl::cli
