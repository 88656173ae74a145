#include "sqlite/table/event_rows.hpp"

#include <pawl/codec/json.hpp>
#include <pawl/codec/metadata_json.hpp>
#include <pawl/codec/utc_time.hpp>

#include <utility>

namespace pawl::detail {

namespace {

// Writes a field's value as the result of a column.
struct value_writer {
    sqlite3_context* to;

    void operator()(std::monostate) const { sqlite3_result_null(to); }
    void operator()(std::int64_t value) const { sqlite3_result_int64(to, value); }
    void operator()(double value) const { sqlite3_result_double(to, value); }
    void operator()(std::string_view value) const {
        sqlite3_result_text64(to, value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    void operator()(json_text value) const { (*this)(value.text); }
    // SQLite's integers have a sign.
    void operator()(std::uint64_t value) const {
        if (value <= std::uint64_t{std::numeric_limits<std::int64_t>::max()})
            sqlite3_result_int64(to, static_cast<std::int64_t>(value));
        else
            (*this)(std::string_view{std::to_string(value)});
    }
};

std::unexpected<error> at_event(error why, const event& e) {
    why.sequence = e.sequence();
    return std::unexpected(std::move(why));
}

}  // namespace

result<void> event_rows::start(event_filter filter) {
    filter.type = from_.type() ? from_.type() : filter.type;
    filter.allow_network_file_system = from_.options().allow_network_file_system;
    event_ = nullptr;
    auto opened = event_scan::open(from_.directory(), filter);
    const auto failed_with = [&](errc code) { return !opened && opened.error().code == code; };
    if (filter.from && (failed_with(errc::pruned) || failed_with(errc::not_found))) {
        // Before the beginning, or beyond the end.
        const auto whole = cursor::open(
            from_.directory(), {.allow_network_file_system = filter.allow_network_file_system});
        if (!whole)
            return std::unexpected(whole.error());
        if (whole->next_sequence() < *filter.from)
            return {};
        filter.from.reset();
        opened = event_scan::open(from_.directory(), filter);
    }
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    scan_.emplace(std::move(*opened));
    return next();
}

void event_rows::start_empty() noexcept {
    event_ = nullptr;
}

result<void> event_rows::next() {
    event_ = scan_->next();
    if (event_ == nullptr) {
        auto end = scan_->finish();
        if (!end)
            return std::unexpected(std::move(end.error()));
        return {};
    }
    if (from_.type() && (shape_ == nullptr || shape_->schema_version != event_->schema_version())) {
        shape_ = from_.shape_of(event_->schema_version());
        if (shape_ == nullptr)
            return at_event(
                {.code = errc::unknown_event,
                 .detail = "the journal did not describe schema version " +
                           std::to_string(event_->schema_version()) + " when its tables were made"},
                *event_);
    }
    return {};
}

result<void> event_rows::column(sqlite3_context* to, std::size_t index) {
    if (from_.type() && index == type_header_columns)
        return metadata(to);
    if (from_.type() && index > type_header_columns)
        return field(to, index - type_header_columns - 1);
    return header(to, static_cast<header_column>(index));
}

result<void> event_rows::header(sqlite3_context* to, header_column column) {
    const value_writer write{to};
    switch (column) {
        case header_column::sequence:
            write(event_->sequence());
            break;
        case header_column::time:
            text_.clear();
            append_utc(text_, event_->timestamp_ns());
            write(std::string_view{text_});
            break;
        case header_column::timestamp_ns:
            write(event_->timestamp_ns());
            break;
        case header_column::stream:
            write(from_.stream_text(event_->stream()));
            break;
        case header_column::version:
            write(event_->version());
            break;
        case header_column::type: {
            const std::string_view name = from_.types().name_of(event_->type());
            write(name.empty() ? std::string_view{text_ = std::to_string(event_->type())} : name);
            break;
        }
        case header_column::schema_version:
            write(std::int64_t{event_->schema_version()});
            break;
        case header_column::more_in_batch:
            write(std::int64_t{event_->more_in_batch()});
            break;
        case header_column::metadata:
            return metadata(to);
        case header_column::bytes:
            write(std::uint64_t{event_->payload().size()});
            break;
        case header_column::event:
            return json(to);
        case header_column::payload:
            sqlite3_result_blob64(to, event_->payload().data(), event_->payload().size(),
                                  SQLITE_TRANSIENT);
            break;
    }
    return {};
}

// Null if the event carries none.
result<void> event_rows::metadata(sqlite3_context* to) {
    if (event_->metadata().empty()) {
        sqlite3_result_null(to);
        return {};
    }
    text_.clear();
    if (auto done = append_metadata_json(text_, event_->metadata()); !done)
        return done;
    value_writer{to}(std::string_view{text_});
    return {};
}

// Null if the journal does not describe it.
result<void> event_rows::json(sqlite3_context* to) {
    const described_event* known = from_.types().find(event_->type(), event_->schema_version());
    if (known == nullptr) {
        sqlite3_result_null(to);
        return {};
    }
    text_.clear();
    if (auto done = json_printer{known->shape}.print(event_->payload(), text_); !done)
        return at_event(std::move(done.error()), *event_);
    value_writer{to}(std::string_view{text_});
    return {};
}

result<void> event_rows::field(sqlite3_context* to, std::size_t index) {
    const auto position = shape_->positions[index];
    if (!position) {
        sqlite3_result_null(to);
        return {};
    }
    const auto value = shape_->reader.read(event_->payload(), *position, text_);
    if (!value)
        return at_event(value.error(), *event_);
    std::visit(value_writer{to}, *value);
    return {};
}

}  // namespace pawl::detail
