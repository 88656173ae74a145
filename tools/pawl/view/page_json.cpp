#include "view/page_json.hpp"

#include "events/base64.hpp"
#include "terminal/event_line.hpp"
#include "terminal/output.hpp"
#include "view/frame_fields.hpp"

#include <fmt/format.h>

#include <pawl/codec/json.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace pawl::cli {

namespace {

using nlohmann::ordered_json;

std::string type_name(std::uint16_t type, const journal_words& words) {
    const std::string_view name = name_of_type(words.types(), type);
    return name.empty() ? fmt::format("type {}", type) : std::string{name};
}

ordered_json stream_json(stream_id stream, const journal_words& words) {
    ordered_json json{{"number", text_of(stream)}, {"name", nullptr}};
    const std::string quoted{words.quoted_name_of(stream)};
    if (!quoted.empty())
        json["name"] = ordered_json::parse(quoted);
    return json;
}

std::string_view verdict_of(const segment_info& segment, const segment_check::progress& checked) {
    const auto verdict = checked.verdicts.find(segment.ordinal);
    if (verdict != checked.verdicts.end())
        return verdict->second.sound ? "sound" : "damaged";
    if (checked.running && checked.ordinal == segment.ordinal && segment.sealed)
        return "checking";
    return "unchecked";
}

}  // namespace

ordered_json text_of(std::uint64_t number) {
    return fmt::format("{}", number);
}

page_answer answer_of(const ordered_json& json) {
    return {.body = json.dump(-1, ' ', false, ordered_json::error_handler_t::replace)};
}

ordered_json segments_json(const log_map& map, const segment_check::progress& checked) {
    const journal_info journal = map.journal();
    const std::uint64_t live = map.last_ordinal();
    ordered_json json{{"segment_bytes", text_of(journal.segment_bytes)},
                      {"checking", checked.running},
                      {"segments", ordered_json::array()},
                      {"faults", ordered_json::array()}};
    const bool torn = !journal.locked && journal.state != journal_state::closed;
    std::uint64_t next_ordinal = journal.segments.empty() ? 0 : journal.segments.front().ordinal;
    for (const segment_info& each : journal.segments) {
        for (; next_ordinal < each.ordinal; ++next_ordinal)
            json["segments"].push_back({{"ordinal", text_of(next_ordinal)}, {"state", "missing"}});
        next_ordinal = each.ordinal + 1;
        ordered_json one{{"ordinal", text_of(each.ordinal)},
                         {"file", segment_file(each.ordinal)},
                         {"state", each.sealed           ? "sealed"
                                   : each.ordinal > live ? "prepared"
                                   : torn                ? "torn"
                                                         : "open"},
                         {"verdict", verdict_of(each, checked)},
                         {"bytes", text_of(each.bytes)},
                         {"created", time_text(each.created_ns)},
                         {"end", each.sealed ? to_string(each.end) : std::string_view{}}};
        if (each.sealed)
            one.update({{"first", text_of(each.first_sequence)},
                        {"next", text_of(each.end_sequence)},
                        {"min_ns", text_of(each.min_timestamp_ns)},
                        {"max_ns", text_of(each.max_timestamp_ns)}});
        const auto verdict = checked.verdicts.find(each.ordinal);
        if (verdict != checked.verdicts.end() && verdict->second.problem)
            one["problem"] = error_json(*verdict->second.problem);
        json["segments"].push_back(std::move(one));
    }
    for (const error& fault : journal.faults)
        json["faults"].push_back(error_json(fault));
    return json;
}

ordered_json density_json(const density& of, const journal_words& words) {
    ordered_json json{{"from_ns", text_of(of.from_ns)},
                      {"bucket_ns", text_of(of.bucket_ns)},
                      {"exact", of.exact},
                      {"problem", nullptr},
                      {"types", ordered_json::array()},
                      {"buckets", ordered_json::array()}};
    if (of.problem)
        json["problem"] = error_json(*of.problem);
    std::map<std::uint16_t, std::size_t> columns;
    for (const density_bucket& bucket : of.buckets)
        for (const auto& [type, count] : bucket.types)
            columns.emplace(type, 0);
    for (auto& [type, column] : columns) {
        column = json["types"].size();
        json["types"].push_back({{"number", type}, {"name", type_name(type, words)}});
    }
    for (const density_bucket& bucket : of.buckets) {
        ordered_json shares = ordered_json::array();
        for (std::size_t i = 0; i < columns.size(); ++i)
            shares.push_back(0);
        std::uint64_t read = 0;
        for (const auto& [type, count] : bucket.types)
            read += count;
        for (const auto& [type, count] : bucket.types)
            shares[columns[type]] = static_cast<double>(bucket.events) *
                                    static_cast<double>(count) / static_cast<double>(read);
        json["buckets"].push_back(
            {{"first", text_of(bucket.first)}, {"events", bucket.events}, {"types", shares}});
    }
    return json;
}

ordered_json page_json(const event_page& page, const log_extent& extent,
                       const journal_words& words) {
    ordered_json json{{"from", text_of(page.from)},     {"before", text_of(page.before)},
                      {"first", text_of(extent.first)}, {"next", text_of(extent.next)},
                      {"filled", page.filled},          {"problem", nullptr},
                      {"events", ordered_json::array()}};
    if (page.problem)
        json["problem"] = error_json(*page.problem);
    for (const event_row& row : page.rows)
        json["events"].push_back({{"sequence", text_of(row.sequence)},
                                  {"time", time_text(row.timestamp_ns)},
                                  {"ns", text_of(row.timestamp_ns)},
                                  {"stream", stream_json(row.stream, words)},
                                  {"version", text_of(row.version)},
                                  {"type", type_name(row.type, words)},
                                  {"type_number", row.type},
                                  {"schema_version", row.schema_version},
                                  {"bytes", row.payload_bytes},
                                  {"more_in_batch", row.more_in_batch},
                                  {"text", row.text}});
    return json;
}

ordered_json event_json_of(const event& e, const journal_words& words) {
    // The page shows the beginning of a larger frame.
    constexpr std::size_t most_bytes = std::size_t{64} << 10;
    constexpr std::size_t most_text = std::size_t{1} << 20;
    ordered_json json{{"sequence", text_of(e.sequence())},
                      {"time", time_text(e.timestamp_ns())},
                      {"ns", text_of(e.timestamp_ns())},
                      {"stream", stream_json(e.stream(), words)},
                      {"version", text_of(e.version())},
                      {"type", type_name(e.type(), words)},
                      {"type_number", e.type()},
                      {"schema_version", e.schema_version()},
                      {"more_in_batch", e.more_in_batch()},
                      {"segment", segment_file(e.position().ordinal)},
                      {"offset", text_of(e.position().offset)},
                      {"json", nullptr},
                      {"problem", nullptr},
                      {"metadata", nullptr},
                      {"tags", ordered_json::array()}};
    std::string text;
    if (const described_event* known = words.types().find(e.type(), e.schema_version())) {
        const json_printer print{known->shape, {.defaults = true, .max_text_bytes = most_text}};
        if (const auto done = print.print(e.payload(), text))
            json["json"] = text;
        else
            json["problem"] = done.error().message();
    } else {
        json["problem"] = e.type() >= first_reserved_type
                              ? "an event of Pawl's own has no schema."
                              : "the journal does not describe this type at this version.";
    }
    if (!e.metadata().empty()) {
        text.clear();
        append_metadata(text, e.metadata());
        // Without the name of the member and the comma after it.
        const std::size_t begin = text.find('{');
        json["metadata"] = text.substr(begin, text.size() - begin - 1);
    }
    const number_list tags = e.metadata().tags();
    for (std::size_t i = 0; i < tags.size(); ++i)
        json["tags"].push_back(stream_json(tags[i], words));
    const auto frame = frame_of(e);
    text.clear();
    append_hex(text, frame.first(std::min(frame.size(), most_bytes)));
    json["bytes"] = frame.size();
    json["hex"] = text;
    json["fields"] = ordered_json::array();
    for (const frame_field& field : fields_of_frame(e, words))
        json["fields"].push_back({{"at", field.at},
                                  {"bytes", field.bytes},
                                  {"name", field.name},
                                  {"value", field.value},
                                  {"meaning", field.meaning}});
    return json;
}

}  // namespace pawl::cli
