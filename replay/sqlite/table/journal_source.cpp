#include "sqlite/table/journal_source.hpp"

#include "sqlite/table/sqlite_api.hpp"

#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace pawl::detail {

namespace {

struct header_name {
    std::string_view name;
    std::string_view type;
};
constexpr std::array<header_name, 12> header_names{{{"sequence", "INTEGER"},
                                                    {"time", "TEXT COLLATE pawl_time"},
                                                    {"timestamp_ns", "INTEGER"},
                                                    {"stream", "TEXT"},
                                                    {"version", "INTEGER"},
                                                    {"type", "TEXT"},
                                                    {"schema_version", "INTEGER"},
                                                    {"more_in_batch", "INTEGER"},
                                                    {"metadata", "TEXT"},
                                                    {"bytes", "INTEGER"},
                                                    {"event", "TEXT"},
                                                    {"payload", "BLOB"}}};

// SQLite compares the names of columns without regard to case.
bool same_name(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view type_of(field_kind kind) {
    switch (kind) {
        case field_kind::integer:
            return "INTEGER";
        case field_kind::real:
            return "REAL";
        default:
            return "TEXT";
    }
}

}  // namespace

result<journal_source> journal_source::open(const std::filesystem::path& directory,
                                            std::shared_ptr<const event_catalog> types,
                                            std::string_view type, const attach_options& options) {
    journal_source made;
    made.directory_ = directory;
    made.options_ = options;
    made.types_ = std::move(types);
    if (!type.empty()) {
        made.type_ = made.types_->type_named(type);
        if (!made.type_)
            return std::unexpected(
                error{.code = errc::not_found,
                      .file = directory.string(),
                      .detail = "the journal describes no event type '" + std::string{type} + "'"});
        // The newest names its fields as the tools show them; what only older versions have
        // follows.
        const auto all = made.types_->events();
        for (auto each = all.rbegin(); each != all.rend(); ++each)
            if (each->type == *made.type_)
                made.add_columns(*each);
        made.add_earlier_names();
        made.find_positions();
    }
    return made;
}

bool journal_source::takes(std::string_view name) const {
    return same_name("metadata", name) ||
           std::any_of(header_names.begin(), header_names.begin() + type_header_columns,
                       [&](const header_name& each) { return same_name(each.name, name); }) ||
           std::ranges::any_of(columns_,
                               [&](const column& each) { return same_name(each.name, name); });
}

void journal_source::add_columns(const described_event& of) {
    shape made{of.schema_version, field_reader{of.shape}, {}};
    for (std::size_t i = 0; i < made.reader.count(); ++i) {
        const std::string field{made.reader.name(i)};
        if (std::ranges::find(columns_, field, &column::field) != columns_.end())
            continue;
        std::string name = field;
        while (takes(name))
            name.insert(0, "event_");
        columns_.push_back({std::move(name), field, made.reader.kind(i)});
    }
    shapes_.push_back(std::move(made));
}

void journal_source::add_earlier_names() {
    for (const shape& each : shapes_)
        for (const auto& [alias, index] : each.reader.aliases())
            if (!takes(alias))
                columns_.push_back({.name = alias,
                                    .field = alias,
                                    .kind = each.reader.kind(index),
                                    .hidden = true});
}

void journal_source::find_positions() {
    for (shape& each : shapes_) {
        each.positions.clear();
        for (const column& one : columns_)
            each.positions.push_back(each.reader.find(one.field));
    }
}

std::string journal_source::declaration() const {
    std::string text = "create table journal(";
    const std::size_t headers = type_ ? type_header_columns : header_names.size();
    for (std::size_t i = 0; i < headers; ++i) {
        text += i == 0 ? "" : ", ";
        text += header_names[i].name;
        text += ' ';
        text += header_names[i].type;
    }
    if (type_)
        text += ", metadata TEXT hidden";
    for (const column& each : columns_) {
        text += ", " + in_quotes(each.name, '"') + ' ';
        text += type_of(each.kind);
        text += each.hidden ? " hidden" : "";
    }
    return text + ")";
}

const journal_source::shape* journal_source::shape_of(std::uint16_t schema_version) const noexcept {
    const auto at = std::ranges::find(shapes_, schema_version, &shape::schema_version);
    return at == shapes_.end() ? nullptr : &*at;
}

result<void> journal_source::refresh_names() {
    const auto held = stream_names(directory_);
    if (!held)
        return std::unexpected(held.error());
    names_.clear();
    numbers_.clear();
    for (const recorded_name& each : *held) {
        names_.emplace(each.stream, each.name);
        numbers_.emplace(each.name, each.stream);
    }
    return {};
}

std::string_view journal_source::stream_text(stream_id stream) {
    if (const auto named = names_.find(stream); named != names_.end())
        return named->second;
    text_ = std::to_string(stream);
    return text_;
}

std::pair<streams_found, stream_id> journal_source::streams_with(std::string_view text) const {
    stream_id number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool numeric = problem == std::errc{} && end == text.data() + text.size();
    const auto named = numbers_.find(text);
    if (named == numbers_.end())
        return {numeric ? streams_found::one : streams_found::none, number};
    return {numeric ? streams_found::several : streams_found::one, named->second};
}

}  // namespace pawl::detail
