#include "events/event_table.hpp"

#include "events/base64.hpp"

#include <pawl/codec/json.hpp>
#include <pawl/codec/utc_time.hpp>

#include <algorithm>
#include <utility>

namespace pawl::cli {

namespace {

// The fields of a type in all its schema versions, the newest first.
std::vector<std::string> fields_of(const event_catalog& types, std::optional<std::uint16_t> type) {
    std::vector<std::string> names;
    const auto all = types.events();
    for (auto each = all.rbegin(); type && each != all.rend(); ++each) {
        const field_reader fields{each->shape};
        for (std::size_t i = 0; each->type == *type && i < fields.count(); ++i)
            if (std::ranges::find(names, fields.name(i)) == names.end())
                names.emplace_back(fields.name(i));
    }
    return names;
}

std::vector<std::string> columns_of(const std::vector<std::string>& fields) {
    std::vector<std::string> columns{"sequence", "time", "stream",
                                     "version",  "type", "schema_version"};
    if (fields.empty())
        columns.emplace_back("event");
    else
        columns.insert(columns.end(), fields.begin(), fields.end());
    return columns;
}

cell cell_of(const field_value& value, std::string& text) {
    if (const auto* number = std::get_if<std::int64_t>(&value))
        return *number;
    if (const auto* number = std::get_if<double>(&value))
        return *number;
    if (const auto* view = std::get_if<std::string_view>(&value)) {
        if (view->data() != text.data())
            text = *view;
        else
            text.resize(view->size());
        return std::string_view{text};
    }
    if (std::holds_alternative<json_text>(value))
        return std::string_view{text};
    return std::monostate{};
}

}  // namespace

event_table::event_table(const journal_words& words, std::optional<std::uint16_t> type,
                         row_format format)
    : words_{words},
      has_fields_{type && words.types().newest(*type) != nullptr},
      fields_{has_fields_ ? fields_of(words.types(), type) : std::vector<std::string>{}},
      rows_{format, columns_of(fields_)} {}

result<bool> event_table::put(const event& e) {
    cells_.clear();
    texts_.resize(4 + std::max<std::size_t>(fields_.size(), 1));
    texts_[0].clear();
    append_utc(texts_[0], e.timestamp_ns());
    texts_[1].clear();
    words_.append_stream(texts_[1], e.stream());
    if (texts_[1].starts_with('"'))
        texts_[1] = texts_[1].substr(1, texts_[1].size() - 2);
    texts_[2] = words_.types().name_of(e.type());
    if (texts_[2].empty())
        texts_[2] = std::to_string(e.type());
    cells_ = {static_cast<std::int64_t>(e.sequence()),
              std::string_view{texts_[0]},
              std::string_view{texts_[1]},
              static_cast<std::int64_t>(e.version()),
              std::string_view{texts_[2]},
              std::int64_t{e.schema_version()}};
    auto added = fields_.empty() ? add_event(e) : add_fields(e);
    if (!added) {
        added.error().sequence = e.sequence();
        return std::unexpected(std::move(added.error()));
    }
    return rows_.put(cells_);
}

result<void> event_table::add_fields(const event& e) {
    const described_event* known = words_.types().find(e.type(), e.schema_version());
    if (known == nullptr)
        return fail(errc::unknown_event, "the journal does not describe schema version " +
                                             std::to_string(e.schema_version()));
    const field_reader fields{known->shape};
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        const auto position = fields.find(fields_[i]);
        if (!position) {
            cells_.emplace_back();
            continue;
        }
        std::string& text = texts_[3 + i];
        const auto value = fields.read(e.payload(), *position, text);
        if (!value)
            return std::unexpected(value.error());
        cells_.push_back(cell_of(*value, text));
    }
    return {};
}

result<void> event_table::add_event(const event& e) {
    std::string& text = texts_[3];
    text.clear();
    if (const described_event* known = words_.types().find(e.type(), e.schema_version())) {
        if (auto done = json_printer{known->shape}.print(e.payload(), text); !done)
            return done;
    } else {
        append_hex(text, e.payload());
    }
    cells_.emplace_back(std::string_view{text});
    return {};
}

}  // namespace pawl::cli
