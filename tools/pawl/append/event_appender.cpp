#include "append/event_appender.hpp"

#include "append/append_together.hpp"

#include <fmt/format.h>

#include <pawl/codec/field_reader.hpp>
#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>

namespace pawl::cli {

namespace {

std::uint64_t now_ns() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

std::optional<stream_id> number_in(std::string_view text) {
    stream_id number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    return problem == std::errc{} && end == text.data() + text.size() ? std::optional{number}
                                                                      : std::nullopt;
}

// The parser counts columns in the event, and its line is the first.
std::string in_line(std::string text, std::size_t column) {
    constexpr std::string_view prefix = "line 1, column ";
    if (!text.starts_with(prefix))
        return text;
    text.erase(0, prefix.size());
    std::size_t inside = 0;
    const char* end = std::from_chars(text.data(), text.data() + text.size(), inside).ptr;
    return fmt::format("column {}{}", inside + column - 1, end);
}

}  // namespace

result<void> event_appender::take(std::string_view line) {
    if (!rules_.type.empty())
        return take(event_line{
            .type = rules_.type, .type_number = rules_.type_number, .json = line, .column = 1});
    auto read = read_dump_line(line);
    if (!read)
        return std::unexpected(std::move(read.error()));
    return std::visit([&](auto& each) { return take(std::move(each)); }, *read);
}

result<void> event_appender::take(const name_line& line) {
    const auto stream = log_.stream(line.named.name, line.named.timestamp_ns);
    if (!stream)
        return std::unexpected(stream.error());
    if (*stream != line.named.stream)
        return fail(errc::invalid_argument,
                    fmt::format("stream '{}' gets number {} in this journal and has {} in the dump",
                                line.named.name, *stream, line.named.stream));
    return {};
}

result<void> event_appender::take(const description_line& line) {
    const recorded_description& said = line.described;
    const auto described =
        log_.describe({said.type, said.schema_version, said.name, said.bytes}, said.timestamp_ns);
    if (!described)
        return std::unexpected(described.error());
    return {};
}

result<void> event_appender::take(event_line line) {
    if (line.exact && line.sequence != log_.next_sequence() + pending_.size())
        return fail(errc::invalid_argument,
                    fmt::format("an exact dump continues its journal, and the next sequence here "
                                "is {}",
                                log_.next_sequence() + pending_.size()));
    pending_event made;
    made.header.timestamp_ns = line.timestamp_ns.value_or(now_ns());
    known_type* type = nullptr;
    if (line.payload) {
        made.header.type = line.type_number.value_or(0);
        made.header.schema_version = line.schema_version.value_or(0);
        made.payload = std::move(*line.payload);
        if (!line.type_number)
            return fail(errc::invalid_argument, "column 1: a payload needs a type_number");
    } else {
        auto known = type_of(line);
        if (!known)
            return std::unexpected(std::move(known.error()));
        type = *known;
        const auto payload = (*type->parse)(line.json);
        if (!payload)
            return fail(payload.error().code, in_line(payload.error().detail, line.column));
        made.header.type = type->number;
        made.header.schema_version = type->schema_version;
        made.payload.assign(payload->begin(), payload->end());
    }
    auto stream = rules_.stream_field.empty()
                      ? stream_of(line, type, made.header.timestamp_ns)
                      : (type == nullptr
                             ? result<stream_id>{fail(errc::invalid_argument,
                                                      "a payload has no fields for --stream-field")}
                             : field_stream(*type, made.payload, made.header.timestamp_ns));
    if (!stream)
        return std::unexpected(std::move(stream.error()));
    made.header.stream = *stream;
    if (rules_.expect)
        made.header.expected = expect::exactly(*rules_.expect + events_ + pending_.size());
    made.metadata = std::move(line.metadata);
    for (event_line::entry& entry : made.metadata) {
        if (auto numbered = number_tags(entry, made.header.timestamp_ns); !numbered)
            return numbered;
    }
    pending_.push_back(std::move(made));
    more_ = line.more_in_batch;
    const bool whole = rules_.batch == 0 ? !more_ : pending_.size() >= rules_.batch;
    return whole ? write_pending() : result<void>{};
}

result<event_appender::known_type*> event_appender::type_of(const event_line& line) {
    const type_key key{line.type, line.schema_version.value_or(0)};
    auto at = types_.find(key);
    if (at == types_.end()) {
        auto learnt = learn(line);
        if (!learnt)
            return std::unexpected(std::move(learnt.error()));
        at = types_.emplace(key, std::move(*learnt)).first;
    }
    return &at->second;
}

result<event_appender::known_type> event_appender::learn(const event_line& line) {
    if (!rules_.schemas) {
        auto own = schema_source::open(log_.directory());
        if (!own)
            return std::unexpected(std::move(own.error()));
        rules_.schemas.emplace(std::move(*own));
    }
    const auto found = rules_.schemas->find(line.type);
    if (!found)
        return std::unexpected(found.error());
    const std::uint16_t version = line.schema_version.value_or(found->shapes.back().schema_version);
    const auto shape =
        std::ranges::find(found->shapes, version, &type_shapes::shape::schema_version);
    if (shape == found->shapes.end())
        return fail(errc::not_found,
                    fmt::format("the schema has no version {} of '{}'", version, line.type));
    const auto number = number_for(line, *found);
    if (!number)
        return std::unexpected(number.error());
    auto registered = detail::register_shapes(log_, {}, found->numbered(*number),
                                              line.timestamp_ns.value_or(now_ns()));
    if (!registered)
        return std::unexpected(std::move(registered.error()));
    auto loaded = schema::load(shape->bfbs, shape->table);
    if (!loaded)
        return std::unexpected(std::move(loaded.error()));
    if (auto added = add_earlier_names(*loaded, *number, version); !added)
        return std::unexpected(std::move(added.error()));
    auto owned = std::make_unique<schema>(std::move(*loaded));
    auto parser = std::make_unique<json_parser>(*owned);
    return known_type{*number, version, std::move(owned), std::move(parser)};
}

// Those that the journal's descriptions give the fields of this type and version.
result<void> event_appender::add_earlier_names(schema& to, std::uint16_t type,
                                               std::uint16_t schema_version) const {
    const auto held = event_catalog::load(log_.directory());
    if (!held)
        return std::unexpected(held.error());
    const described_event* known = held->find(type, schema_version);
    return known == nullptr ? result<void>{} : to.add_aliases_of(known->shape);
}

// As the line says, or the source of the schemas, or the journal; else the first number that is
// free.
result<std::uint16_t> event_appender::number_for(const event_line& line,
                                                 const type_shapes& found) const {
    if (line.type_number)
        return *line.type_number;
    if (found.type)
        return *found.type;
    const auto held = descriptions(log_.directory());
    if (!held)
        return std::unexpected(held.error());
    std::uint16_t greatest = 0;
    for (const recorded_description& each : *held) {
        for (const type_shapes::shape& shape : found.shapes)
            if (each.name == shape.table)
                return each.type;
        greatest = std::max(greatest, each.type);
    }
    if (held->empty() && log_.next_sequence() != 0)
        return fail(errc::invalid_argument,
                    fmt::format("the journal holds events and describes none of their types: give "
                                "the number of '{}' with --type-number",
                                line.type));
    if (greatest + 1 >= first_reserved_type)
        return fail(errc::too_large, "the journal has no free type number");
    return static_cast<std::uint16_t>(greatest + 1);
}

result<stream_id> event_appender::stream_of(const event_line& line, const known_type*,
                                            std::uint64_t timestamp_ns) {
    if (!rules_.stream.empty()) {
        if (const auto number = number_in(rules_.stream))
            return *number;
        return stream_named(rules_.stream, timestamp_ns);
    }
    if (const auto* name = std::get_if<std::string>(&line.stream))
        return stream_named(*name, timestamp_ns);
    return std::get<stream_id>(line.stream);
}

// A string is a name, and an integer a number.
result<stream_id> event_appender::field_stream(const known_type& type,
                                               std::span<const std::byte> payload,
                                               std::uint64_t timestamp_ns) {
    const field_reader fields{*type.shape};
    const auto index = fields.find(rules_.stream_field);
    if (!index)
        return fail(errc::invalid_argument, fmt::format("{} has no field '{}' for --stream-field",
                                                        type.shape->table(), rules_.stream_field));
    std::string text;
    const auto value = fields.read(payload, *index, text);
    if (!value)
        return std::unexpected(value.error());
    if (const auto* number = std::get_if<std::int64_t>(&*value); number != nullptr && *number >= 0)
        return static_cast<stream_id>(*number);
    if (const auto* name = std::get_if<std::string_view>(&*value);
        name != nullptr && !name->empty())
        return stream_named(std::string{*name}, timestamp_ns);
    return fail(errc::invalid_argument,
                fmt::format("{}: neither a name nor the number of a stream", rules_.stream_field));
}

result<stream_id> event_appender::stream_named(const std::string& name,
                                               std::uint64_t timestamp_ns) {
    if (const auto known = streams_.find(name); known != streams_.end())
        return known->second;
    auto number = log_.stream(name, timestamp_ns);
    if (number)
        streams_.emplace(name, *number);
    return number;
}

// Puts numbers in the place of names. Those of this journal may be in another order than those of
// the one that was dumped.
result<void> event_appender::number_tags(event_line::entry& entry, std::uint64_t timestamp_ns) {
    if (entry.names.empty())
        return {};
    std::vector<tag_id> numbers(entry.value.size() / sizeof(tag_id));
    std::memcpy(numbers.data(), entry.value.data(), entry.value.size());
    for (const auto& [place, name] : entry.names) {
        const auto number = stream_named(name, timestamp_ns);
        if (!number)
            return std::unexpected(number.error());
        numbers[place] = *number;
    }
    std::ranges::sort(numbers);
    std::memcpy(entry.value.data(), numbers.data(), entry.value.size());
    return {};
}

result<void> event_appender::write_pending() {
    if (pending_.empty())
        return {};
    for (pending_event& each : pending_) {
        each.entries.clear();
        for (const event_line::entry& entry : each.metadata)
            each.entries.push_back({entry.tag, entry.value, entry.critical});
        each.header.metadata = each.entries;
    }
    auto written = append_together(log_, pending_, [](const pending_event&, const receipt&) {});
    if (!written)
        return written;
    events_ += pending_.size();
    pending_.clear();
    return {};
}

result<void> event_appender::finish() {
    if (rules_.batch == 0 && !pending_.empty())
        return fail(errc::invalid_argument, "the input ends within a batch");
    if (auto written = write_pending(); !written)
        return written;
    if (auto synced = log_.sync(); !synced)
        return std::unexpected(std::move(synced.error()));
    return log_.close();
}

result<void> event_appender::abandon() {
    pending_.clear();
    return log_.close();
}

}  // namespace pawl::cli
