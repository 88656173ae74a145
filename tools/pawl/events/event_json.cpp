#include "events/event_json.hpp"

#include "events/base64.hpp"
#include "events/unchecked_text.hpp"
#include "terminal/event_line.hpp"

#include <fmt/format.h>

#include <pawl/sqlite/utc_time.hpp>

#include <charconv>

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

}  // namespace

void event_json::append(std::string& to, const event& e) {
    const line_of_type& type = line_of(e);
    const bool printed = type.printer && !options_.exact;
    append_header(to, e, type, printed && e.metadata().empty() ? R"("event":)" : "");
    if (!e.metadata().empty()) {
        append_metadata(to, e.metadata());
        if (printed)
            to += R"("event":)";
    }
    if (options_.exact)
        append_base64_member(to, e.payload());
    else if (printed)
        append_printed(to, e, *type.printer);
    else
        append_payload(to, e);
}

std::string_view event_json::second_of(std::uint64_t timestamp_ns) {
    constexpr std::size_t decimals = 9;
    if (timestamp_ns / nanoseconds_in_second != second_) [[unlikely]] {
        second_ = timestamp_ns / nanoseconds_in_second;
        second_text_ = R"(,"time":")";
        append_utc(second_text_, timestamp_ns);
        second_text_.resize(second_text_.size() - decimals - 1);
    }
    return second_text_;
}

// Counts on in the text: most numbers end in another digit than 9.
std::string_view event_json::digits_of(sequence_number sequence) {
    if (digit_count_ != 0 && sequence == sequence_ + 1 && digits_[digit_count_ - 1] != '9')
        [[likely]]
        ++digits_[digit_count_ - 1];
    else
        digit_count_ = static_cast<std::size_t>(
            std::to_chars(digits_.data(), digits_.data() + digits_.size(), sequence).ptr -
            digits_.data());
    sequence_ = sequence;
    return {digits_.data(), digit_count_};
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
    if (!name.empty())
        made.middle.append(R"(,"type":")").append(name).append("\"");
    append_member(made.middle, name.empty() ? R"(,"type":)" : R"(,"type_number":)", e.type());
    append_member(made.middle, R"(,"schema_version":)", e.schema_version());
    made.middle += R"(,"more_in_batch":)";
    if (const described_event* known = words_->types().find(e.type(), e.schema_version()))
        made.printer.emplace(known->shape, options_.values);
    return made;
}

void event_json::append_header(std::string& to, const event& e, const line_of_type& type,
                               std::string_view end) {
    constexpr std::size_t fixed = 128 + 2 * unchecked_text::number_length;
    const std::string_view stream =
        options_.exact ? std::string_view{} : words_->quoted_name_of(e.stream());
    const std::string_view second = second_of(e.timestamp_ns());
    const std::string_view digits = digits_of(e.sequence());
    const std::size_t before = to.size();
    const auto write = [&](char* data, std::size_t) noexcept {
        unchecked_text line{data + before};
        line.add(R"({"sequence":)");
        line.add(digits);
        line.add(second);
        line.add_nanoseconds(static_cast<std::uint32_t>(e.timestamp_ns() % nanoseconds_in_second));
        line.add(R"(Z","stream":)");
        if (stream.empty())
            line.add(e.stream());
        else
            line.add(stream);
        line.add(R"(,"version":)");
        line.add(e.version());
        line.add(type.middle);
        batch_flag_ = static_cast<std::size_t>(line.end() - data);
        line.add(e.more_in_batch() ? std::string_view{"true,"} : std::string_view{"false,"});
        line.add(end);
        return static_cast<std::size_t>(line.end() - data);
    };
    to.resize_and_overwrite(before + fixed + stream.size() + type.middle.size(), write);
}

// `to` ends with "event":.
void event_json::append_printed(std::string& to, const event& e, const json_printer& printer) {
    const auto done = printer.print(e.payload(), to);
    if (done) {
        to += "}\n";
        return;
    }
    ++problems_;
    to.resize(to.size() - std::string_view{R"("event":)"}.size());
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
