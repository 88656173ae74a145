#include "events/event_json.hpp"

#include "events/base64.hpp"
#include "terminal/event_line.hpp"
#include "terminal/json_text.hpp"

#include <fmt/format.h>

#include <pawl/codec/utc_time.hpp>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace pawl::cli {

namespace {

constexpr std::uint64_t nanoseconds_in_second = 1'000'000'000;

void append_number(std::string& to, std::uint64_t number) {
    const fmt::format_int digits{number};
    to.append(digits.data(), digits.size());
}

void append_member(std::string& to, std::string_view key, std::uint64_t number) {
    to += key;
    append_number(to, number);
}

void append_time(std::string& to, std::uint64_t timestamp_ns) {
    to += R"("time":")";
    append_utc(to, timestamp_ns);
    to += '"';
}

void append_base64_member(std::string& to, std::span<const std::byte> bytes) {
    to += R"("base64":")";
    append_base64(to, bytes);
    to += "\"}\n";
}

// Replaces the numbers of tags that have names in the metadata that begins at `from`. Inside a
// string, every quotation mark would have a backslash before it.
void name_tags(std::string& to, std::size_t from, const journal_words& words) {
    constexpr std::string_view member = R"("tags":[)";
    const std::size_t at = to.find(member, from);
    if (at == std::string::npos)
        return;
    const std::size_t begin = at + member.size();
    const std::size_t end = to.find(']', begin);
    std::string named;
    for (std::size_t digit = begin; digit < end;) {
        const std::size_t comma = std::min(to.find(',', digit), end);
        std::uint64_t number = 0;
        std::from_chars(to.data() + digit, to.data() + comma, number);
        words.append_stream(named, number);
        if (comma != end)
            named += ',';
        digit = comma + 1;
    }
    to.replace(begin, end - begin, named);
}

}  // namespace

void event_json::append(std::string& to, const event& e) {
    const line_of_type& type = line_of(e);
    append_header(to, e, type);
    if (!e.metadata().empty()) {
        const std::size_t before = to.size();
        append_metadata(to, e.metadata());
        if (!options_.exact)
            name_tags(to, before, *words_);
    }
    if (options_.exact)
        append_base64_member(to, e.payload());
    else if (type.printer)
        append_printed(to, e, *type.printer);
    else
        append_payload(to, e);
}

void event_json::update_second(std::uint64_t timestamp_ns) {
    if (timestamp_ns / nanoseconds_in_second == second_) [[likely]]
        return;
    second_ = timestamp_ns / nanoseconds_in_second;
    std::string text = R"(,"time":")";
    append_utc(text, timestamp_ns);
    constexpr std::size_t after = std::string_view{"000000000Z"}.size();
    second_text_.size = std::min(text.size() - after, second_text_.bytes.size());
    text.copy(second_text_.bytes.data(), second_text_.size);
}

// Counts on in the text: most numbers end in another digit than 9.
void event_json::update_digits(sequence_number sequence) {
    auto& [digits, count] = digits_;
    if (count != 0 && sequence == sequence_ + 1 && digits[count - 1] != '9') [[likely]]
        ++digits[count - 1];
    else
        count = static_cast<std::size_t>(
            std::to_chars(digits.data(), digits.data() + digits.size(), sequence).ptr -
            digits.data());
    sequence_ = sequence;
}

inline const event_json::line_of_type& event_json::line_of(const event& e) {
    const std::uint32_t key = std::uint32_t{e.type()} << 16 | e.schema_version();
    const line_of_type*& recent = recent_types_[e.type() % recent_types_.size()];
    if (recent == nullptr || recent->key != key) [[unlikely]]
        recent = &find_line_of(e, key);
    return *recent;
}

const event_json::line_of_type& event_json::find_line_of(const event& e, std::uint32_t key) {
    auto [at, added] = types_.try_emplace(key);
    if (!added)
        return at->second;
    line_of_type& made = at->second;
    made.key = key;
    const std::string_view name = words_->types().name_of(e.type());
    std::string text;
    if (!name.empty())
        text.append(R"(,"type":")").append(name).append("\"");
    append_member(text, name.empty() ? R"(,"type":)" : R"(,"type_number":)", e.type());
    append_member(text, R"(,"schema_version":)", e.schema_version());
    text += R"(,"more_in_batch":)";
    made.last_in_batch = text + "false,";
    made.more_in_batch = text + "true,";
    if (const described_event* known = words_->types().find(e.type(), e.schema_version()))
        made.printer.emplace(known->shape, options_.values);
    return made;
}

void event_json::append_header(std::string& to, const event& e, const line_of_type& type) {
    constexpr std::size_t fixed = 256;  // names of members, numbers, and room for short texts
    const std::string_view stream =
        options_.exact ? std::string_view{} : words_->quoted_name_of(e.stream());
    const std::string& end = e.more_in_batch() ? type.more_in_batch : type.last_in_batch;
    update_second(e.timestamp_ns());
    update_digits(e.sequence());
    const std::size_t before = to.size();
    const auto write = [&](char* data, std::size_t) noexcept {
        unchecked_text line{data + before};
        line.add(R"({"sequence":)");
        line.add(digits_);
        line.add(second_text_);
        line.add_nanoseconds(static_cast<std::uint32_t>(e.timestamp_ns() % nanoseconds_in_second));
        line.add(R"(Z","stream":)");
        if (stream.empty())
            line.add(e.stream());
        else
            line.add(stream);
        line.add(R"(,"version":)");
        line.add(e.version());
        line.add(std::string_view{end});
        return static_cast<std::size_t>(line.end() - data);
    };
    to.resize_and_overwrite(before + fixed + stream.size() + end.size(), write);
    batch_flag_ = to.size() - std::string_view{"true,"}.size();
}

void event_json::append_printed(std::string& to, const event& e, const json_printer& printer) {
    const std::size_t before = to.size();
    to += R"("event":)";
    const auto done = printer.print(e.payload(), to);
    if (done) [[likely]] {
        to += "}\n";
        return;
    }
    ++problems_;
    to.resize(before);
    to += R"("problem":)";
    append_json_string(to, done.error().message());
    to += ',';
    append_payload(to, e);
}

void event_json::append_payload(std::string& to, const event& e) {
    to += R"("payload":")";
    append_hex(to, e.payload());
    to += "\"}\n";
}

void event_json::append(std::string& to, const recorded_name& name) {
    to += R"({"names":)";
    append_json_string(to, name.name);
    append_member(to, R"(,"stream":)", name.stream);
    to += ',';
    append_time(to, name.timestamp_ns);
    to += "}\n";
}

void event_json::append(std::string& to, const recorded_description& description) {
    to += R"({"describes":)";
    append_json_string(to, description.name);
    append_member(to, R"(,"type_number":)", description.type);
    append_member(to, R"(,"schema_version":)", description.schema_version);
    to += ',';
    append_time(to, description.timestamp_ns);
    to += ',';
    append_base64_member(to, description.bytes);
}

}  // namespace pawl::cli
