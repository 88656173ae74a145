#include "json/payload_reader.hpp"
#include "json/printer.hpp"
#include "json/text.hpp"

#include <pawl/codec/field_reader.hpp>
#include <pawl/journal/detail/guarded.hpp>

#include <bit>
#include <cmath>
#include <limits>

namespace pawl {

namespace {

using detail::field_layout;
using detail::payload_printer;
using detail::payload_reader;

constexpr std::uint64_t greatest_integer = std::numeric_limits<std::int64_t>::max();

field_value real(double value) noexcept {
    return std::isnan(value) ? field_value{} : field_value{value};
}

// A number without a name.
field_value number(const field_layout& field, std::uint64_t bits, std::string& text) {
    switch (field.type.base) {
        case reflection::Double:
            return real(std::bit_cast<double>(bits));
        case reflection::Float:
            return real(double{std::bit_cast<float>(static_cast<std::uint32_t>(bits))});
        case reflection::Byte:
            return std::int64_t{static_cast<std::int8_t>(bits)};
        case reflection::Short:
            return std::int64_t{static_cast<std::int16_t>(bits)};
        case reflection::Int:
            return std::int64_t{static_cast<std::int32_t>(bits)};
        case reflection::ULong:
            if (bits > greatest_integer) {
                detail::append_integer(text, bits);
                return std::string_view{text};
            }
            break;
        default:
            break;
    }
    return static_cast<std::int64_t>(bits);
}

// An enum or bit flags: their names, or the number if a value has no name.
field_value named(payload_printer& printer, const field_layout& field, std::uint64_t bits,
                  std::string& text) {
    printer.scalar(field.type, bits);
    if (!text.starts_with('"')) {
        text.clear();
        return number(field, bits, text);
    }
    return std::string_view{text}.substr(1, text.size() - 2);
}

// Reads one field of the root table of a payload.
class field_access {
  public:
    field_access(const detail::schema_layout& schema, const json_options& options,
                 std::span<const std::byte> payload, std::string& text)
        : type_{schema.object(schema.root)},
          in_{payload},
          printer_{schema, options, payload, text},
          text_{text} {}

    result<field_value> read(const field_layout& field) {
        const auto root = in_.follow(0);
        const auto table = root ? in_.table_at(*root) : std::nullopt;
        if (!table)
            return refuse(0, "the root table lies outside the payload");
        const std::size_t at = in_.field(*table, field.offset);
        if (at == 0)
            return absent(field, table->at);
        if (field.holds_scalar()) {
            if (!in_.holds(at, field.type.bytes, field.type.align))
                return refuse(field, at, "a number lies outside the payload");
            return scalar(field, in_.bits(at, field.type.bytes));
        }
        if (field.type.base == reflection::String && field.many == detail::multiplicity::one)
            return string(field, at);
        return json(*table, field, at);
    }

  private:
    result<field_value> refuse(std::size_t at, const char* why) {
        (void)printer_.fail(at, why);
        return std::unexpected(printer_.failure());
    }
    result<field_value> refuse(const field_layout& field, std::size_t at, const char* why) {
        (void)printer_.fail(at, why);
        (void)printer_.in_field(field);
        return std::unexpected(printer_.failure());
    }

    result<field_value> absent(const field_layout& field, std::size_t at) {
        if (field.required)
            return refuse(field, at, "a required field is missing");
        if (!field.holds_scalar() || field.optional)
            return field_value{};
        return scalar(field, field.default_bits);
    }

    field_value scalar(const field_layout& field, std::uint64_t bits) {
        return field.type.enumeration < 0 ? number(field, bits, text_)
                                          : named(printer_, field, bits, text_);
    }

    result<field_value> string(const field_layout& field, std::size_t at) {
        const auto target = in_.follow(at);
        const auto bytes = target ? in_.vector(*target, 1, 1) : std::nullopt;
        if (!bytes)
            return refuse(field, at, "a string lies outside the payload");
        const std::span<const std::byte> raw = in_.get(bytes->at, bytes->count);
        const std::string_view value{reinterpret_cast<const char*>(raw.data()), raw.size()};
        if (detail::is_utf8(value))
            return value;
        text_.assign(1, '[');
        for (const std::byte byte : raw) {
            if (text_.size() != 1)
                text_ += ',';
            detail::append_integer(text_, std::to_integer<std::uint64_t>(byte));
        }
        text_ += ']';
        return std::string_view{text_};
    }

    result<field_value> json(const payload_reader::table& table, const field_layout& field,
                             std::size_t at) {
        if (!printer_.field(table, type_, field, at))
            return std::unexpected(printer_.failure());
        if (text_.empty())
            return field_value{};
        return json_text{text_};
    }

    const detail::object_layout& type_;
    payload_reader in_;
    payload_printer printer_;
    std::string& text_;
};

// A number without a name, where nothing can go wrong: most of what queries read.
std::optional<field_value> plain_number(const field_layout& field,
                                        std::span<const std::byte> payload, std::string& text) {
    if (!field.holds_scalar() || field.type.enumeration >= 0)
        return std::nullopt;
    const payload_reader in{payload};
    const auto root = in.follow(0);
    const auto table = root ? in.table_at(*root) : std::nullopt;
    const std::size_t at = table ? in.field(*table, field.offset) : 0;
    if (at == 0 || !in.holds(at, field.type.bytes, field.type.align))
        return std::nullopt;
    return number(field, in.bits(at, field.type.bytes), text);
}

const std::vector<field_layout>& fields_of(const schema& of) noexcept {
    const detail::schema_layout& layout = of.layout();
    return layout.object(layout.root).fields;
}

}  // namespace

std::size_t field_reader::count() const noexcept {
    return fields_of(*of_).size();
}

std::string_view field_reader::name(std::size_t index) const noexcept {
    return fields_of(*of_)[index].name;
}

field_kind field_reader::kind(std::size_t index) const noexcept {
    const field_layout& field = fields_of(*of_)[index];
    if (field.many == detail::multiplicity::one && field.type.base == reflection::String)
        return field_kind::text;
    if (!field.holds_scalar())
        return field_kind::json;
    if (field.type.enumeration >= 0)
        return field_kind::text;
    return flatbuffers::IsFloat(field.type.base) ? field_kind::real : field_kind::integer;
}

std::optional<std::size_t> field_reader::find(std::string_view name) const noexcept {
    const detail::schema_layout& layout = of_->layout();
    const int found = layout.object(layout.root).find_any(name);
    return found < 0 ? std::nullopt : std::optional{static_cast<std::size_t>(found)};
}

std::span<const field_reader::alias> field_reader::aliases() const noexcept {
    const detail::schema_layout& layout = of_->layout();
    return layout.object(layout.root).aliases;
}

result<field_value> field_reader::read(std::span<const std::byte> payload, std::size_t index,
                                       std::string& text) const {
    return detail::guarded([&]() -> result<field_value> {
        if (payload.size() > options_.limits.max_bytes)
            return fail(errc::too_large,
                        "a payload of " + std::to_string(payload.size()) + " bytes where " +
                            std::to_string(options_.limits.max_bytes) + " are allowed");
        text.clear();
        if (const auto plain = plain_number(fields_of(*of_)[index], payload, text))
            return *plain;
        json_options shown = options_;
        shown.defaults = true;
        return field_access{of_->layout(), shown, payload, text}.read(fields_of(*of_)[index]);
    });
}

}  // namespace pawl
