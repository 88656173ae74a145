#include "view/frame_fields.hpp"

#include "events/base64.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>

#include <pawl/journal/detail/frame.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace pawl::cli {

namespace {

namespace at = detail::frame_offset;

// With a space, at which a narrow page can break it.
std::string spaced_time(std::uint64_t ns) {
    std::string text = time_text(ns);
    text[text.find('T')] = ' ';
    return text;
}

std::string flags_text(std::uint8_t flags) {
    constexpr std::pair<std::uint8_t, std::string_view> names[] = {
        {detail::flag::system, "system"},
        {detail::flag::batch_first, "batch first"},
        {detail::flag::batch_middle, "batch middle"},
        {detail::flag::batch_last, "batch last"},
        {detail::flag::metadata, "metadata"},
    };
    std::string text = fmt::format("0x{:02x}", flags);
    for (const auto& [bit, name] : names)
        if ((flags & bit) != 0)
            text += fmt::format(", {}", name);
    return text;
}

std::string_view name_of(metadata_tag tag) {
    switch (tag) {
        case metadata_tag::command:
            return "command";
        case metadata_tag::correlation:
            return "correlation";
        case metadata_tag::causation:
            return "causation";
        case metadata_tag::trace:
            return "trace";
        case metadata_tag::actor:
            return "actor";
        case metadata_tag::source_time:
            return "source time";
        case metadata_tag::tags:
            return "tags";
        case metadata_tag::subjects:
            return "subjects";
    }
    return std::to_underlying(tag) >= first_application_tag ? "the application's" : "unknown";
}

std::string_view meaning_of(metadata_tag tag) {
    switch (tag) {
        case metadata_tag::command:
            return "The command that led to it: its id (16 bytes) and the hash of its bytes.";
        case metadata_tag::correlation:
            return "What it belongs to.";
        case metadata_tag::causation:
            return "What caused it.";
        case metadata_tag::trace:
            return "W3C trace context: trace, parent, flags, state.";
        case metadata_tag::actor:
            return "On whose behalf, as UTF-8.";
        case metadata_tag::source_time:
            return "When it happened elsewhere.";
        case metadata_tag::tags:
            return "What it concerns besides its stream: numbers of 8 bytes, ascending.";
        case metadata_tag::subjects:
            return "Whose keys seal a field of it.";
    }
    return "Metadata that Pawl does not interpret.";
}

std::string value_of(const metadata_entry& entry, const journal_words& words) {
    std::string text;
    if (entry.tag == metadata_tag::actor)
        return {reinterpret_cast<const char*>(entry.value.data()), entry.value.size()};
    if (entry.tag == metadata_tag::source_time)
        return spaced_time(detail::load_u64(entry.value.data()));
    if (entry.tag == metadata_tag::tags) {
        const number_list tags{entry.value};
        for (std::size_t i = 0; i < tags.size(); ++i) {
            text += i == 0 ? "" : ", ";
            words.append_stream(text, tags[i]);
        }
        return text;
    }
    append_hex(text, entry.value);
    return text;
}

void add_metadata(std::vector<frame_field>& to, const event& e, const journal_words& words) {
    std::size_t place = detail::frame_header_bytes;
    e.metadata().for_each([&](const metadata_entry& entry) {
        const std::size_t all = detail::metadata_prefix_bytes + detail::padded(entry.value.size());
        to.push_back(
            {place, all,
             fmt::format("metadata: {}{}", name_of(entry.tag), entry.critical ? ", critical" : ""),
             value_of(entry, words),
             fmt::format("{} Tag {:#x} (2 bytes), flags (2), length {} (4), the value, and "
                         "zeros up to a multiple of 8.",
                         meaning_of(entry.tag), std::to_underlying(entry.tag),
                         entry.value.size())});
        place += all;
    });
}

}  // namespace

std::span<const std::byte> frame_of(const event& e) noexcept {
    const std::byte* frame = e.metadata().bytes().data() - detail::frame_header_bytes;
    return {frame, detail::padded(detail::commit_word{detail::load_u64(frame)}.frame_bytes())};
}

std::vector<frame_field> fields_of_frame(const event& e, const journal_words& words) {
    const std::byte* frame = frame_of(e).data();
    const detail::commit_word word{detail::load_u64(frame)};
    const std::uint32_t back = detail::load_u32(frame + at::back);
    const std::uint32_t witness = detail::load_u32(frame + at::witness);
    std::string stream;
    words.append_stream(stream, e.stream());
    const std::string_view type = words.types().name_of(e.type());
    std::vector<frame_field> fields{
        {0, 3, "frame bytes", fmt::format("{}", word.frame_bytes()),
         "Header, metadata and payload, without the padding. With the three fields after it, this "
         "is the commit word, which is stored last: while it is zero there is no frame."},
        {3, 1, "flags", flags_text(word.flags()), "The events of a batch exist all or not at all."},
        {4, 2, "type",
         type.empty() ? fmt::format("{}", e.type()) : fmt::format("{}, {}", e.type(), type),
         "What happened; the application's number."},
        {6, 2, "schema version", fmt::format("{}", e.schema_version()),
         "Of the schema by which the payload is read."},
        {at::hash, 8, "hash", fmt::format("{:016x}", e.frame_hash()),
         fmt::format("XXH3 of everything from the sequence on and of the commit word ({:016x}), "
                     "xor a hash of where the frame lies.",
                     e.content_hash())},
        {at::back, 4, "back", back == 0 ? "0" : fmt::format("{} bytes", std::uint64_t{back} * 8),
         "How far back the previous event of the stream lies in this segment, in units of 8 bytes; "
         "0 for its first one there."},
        {at::witness, 4, "witness", fmt::format("{} events", witness),
         fmt::format("How far the durable watermark lay behind when this was written: at {} or "
                     "later. It proves after a crash what must be there.",
                     e.sequence() - std::min<std::uint64_t>(e.sequence(), witness))},
        {at::sequence, 8, "sequence", fmt::format("{}", e.sequence()),
         "The event's number in the log: 0, 1, 2, … without a gap."},
        {at::timestamp, 8, "timestamp", spaced_time(e.timestamp_ns()),
         "Nanoseconds since the Unix epoch, from the writer's clock."},
        {at::stream, 8, "stream", stream,
         e.stream() == no_stream_id ? "0: the event belongs to no stream."
                                    : "What it is about; the log names numbers from 2^63 on."},
        {at::version, 8, "version", fmt::format("{}", e.version()),
         "The event's number within its stream: 1, 2, 3, …"},
    };
    add_metadata(fields, e, words);
    const std::size_t payload_at = detail::frame_header_bytes + e.metadata().bytes().size();
    const std::size_t all = detail::padded(word.frame_bytes());
    if (!e.payload().empty())
        fields.push_back({payload_at, e.payload().size(), "payload",
                          fmt::format("{} bytes", e.payload().size()),
                          "The event itself; to the journal only bytes."});
    if (all != word.frame_bytes())
        fields.push_back({word.frame_bytes(), all - word.frame_bytes(), "padding",
                          fmt::format("{} bytes", all - word.frame_bytes()),
                          "Zeros, which the hash covers, up to a multiple of 8."});
    return fields;
}

}  // namespace pawl::cli
