#include "events/event_json.hpp"

#include "events/base64.hpp"
#include "terminal/event_line.hpp"

#include <fmt/format.h>

#include <pawl/sqlite/utc_time.hpp>

namespace pawl::cli {

namespace {

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
    append_header(to, e);
    if (!e.metadata().empty()) {
        fmt::memory_buffer metadata;
        append_metadata(metadata, e.metadata());
        to.append(metadata.data(), metadata.size());
    }
    if (options_.exact)
        append_base64_member(to, e.payload());
    else
        append_payload(to, e);
}

// Most events happen in the same second as the one before.
void event_json::append_event_time(std::string& to, std::uint64_t timestamp_ns) {
    constexpr std::uint64_t second = 1'000'000'000;
    constexpr std::size_t decimals = 9;
    if (timestamp_ns / second != second_) {
        second_ = timestamp_ns / second;
        second_text_.clear();
        append_utc(second_text_, timestamp_ns);
        second_text_.resize(second_text_.size() - decimals - 1);
    }
    to += second_text_;
    const std::size_t end = to.size() + decimals;
    to.append(decimals, '0');
    std::uint64_t left = timestamp_ns % second;
    for (std::size_t i = end; left != 0; left /= 10)
        to[--i] = static_cast<char>('0' + left % 10);
}

void event_json::append_header(std::string& to, const event& e) {
    append_member(to, R"({"sequence":)", e.sequence());
    to += R"(,"time":")";
    append_event_time(to, e.timestamp_ns());
    to += R"(Z","stream":)";
    if (options_.exact)
        append_number(to, e.stream());
    else
        words_->append_stream(to, e.stream());
    append_member(to, R"(,"version":)", e.version());
    const std::string_view name = words_->types().name_of(e.type());
    if (name.empty()) {
        append_member(to, R"(,"type":)", e.type());
    } else {
        to += R"(,"type":")";
        to += name;
        append_member(to, R"(","type_number":)", e.type());
    }
    append_member(to, R"(,"schema_version":)", e.schema_version());
    to += e.more_in_batch() ? R"(,"more_in_batch":true,)" : R"(,"more_in_batch":false,)";
}

void event_json::append_payload(std::string& to, const event& e) {
    const described_event* known = words_->types().find(e.type(), e.schema_version());
    if (known != nullptr) {
        const std::size_t before = to.size();
        to += R"("event":)";
        const auto done = json_printer{known->shape, options_.values}.print(e.payload(), to);
        if (done) {
            to += "}\n";
            return;
        }
        ++problems_;
        to.resize(before);
        to += R"("problem":)";
        append_json_string(to, done.error().message());
        to += ',';
    }
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
