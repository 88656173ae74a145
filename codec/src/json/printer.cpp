#include "json/printer.hpp"

#include "json/text.hpp"

#include <pawl/journal/detail/guarded.hpp>

#include <utility>

namespace pawl::detail {

bool payload_printer::fail(std::size_t at, const char* why, errc code) {
    code_ = code;
    failed_at_ = at;
    why_ = why;
    return false;
}

// Both are called while the calls return from a failure, innermost first.
bool payload_printer::in_field(const field_layout& field) {
    path_.push_back({&field.name, 0});
    return false;
}
bool payload_printer::in_element(std::uint32_t index) {
    path_.push_back({nullptr, index});
    return false;
}

bool payload_printer::within_text_limit(std::size_t at) {
    return to_.size() - start_ <= options_.max_text_bytes ||
           fail(at, "its text is longer than the limit", errc::too_large);
}

error payload_printer::failure() const {
    error made{.code = code_, .offset = failed_at_};
    std::string& text = made.detail;
    text = "a payload of ";
    text += schema_.object(schema_.root).name;
    for (std::size_t i = path_.size(); i-- != 0;) {
        if (path_[i].field != nullptr) {
            text += i + 1 == path_.size() ? ", field " : ".";
            text += *path_[i].field;
        } else {
            text += '[';
            text += std::to_string(path_[i].index);
            text += ']';
        }
    }
    text += ", byte ";
    text += std::to_string(failed_at_);
    text += ": ";
    text += why_;
    return made;
}

bool payload_printer::root(const object_layout& type, std::uint32_t depth) {
    depth_ = depth;
    const auto at = in_.follow(0);
    return at ? table(*at, type) : fail(0, "the offset of the root table points nowhere");
}

bool payload_printer::field(const payload_reader::table& table, const object_layout& type,
                            const field_layout& field, std::size_t at) {
    depth_ = 1;
    tables_ = 1;
    return (present(table, type, field, at) && within_text_limit(at)) || in_field(field);
}

bool payload_printer::table(std::size_t at, const object_layout& type) {
    if (++depth_ > options_.limits.max_depth)
        return fail(at, "tables are nested deeper than the limit", errc::too_large);
    ++tables_;
    if (tables_ > options_.limits.max_tables || tables_ > in_.size() / 8)
        return fail(at, "it holds more tables than the limit", errc::too_large);
    const auto table = in_.table_at(at);
    if (!table)
        return fail(at, "a table lies outside the payload");
    to_ += '{';
    const std::size_t first = to_.size();
    for (const field_layout& field : type.fields) {
        const std::size_t before = to_.size();
        if (before != first)
            to_ += ',';
        to_ += field.key;
        const std::size_t value = to_.size();
        const std::size_t place = in_.field(*table, field.offset);
        if (!(place != 0 ? present(*table, type, field, place) : absent(*table, type, field)) ||
            !within_text_limit(at))
            return in_field(field);
        if (to_.size() == value)
            to_.resize(before);  // nothing to show
    }
    to_ += '}';
    --depth_;
    return true;
}

bool payload_printer::absent(const payload_reader::table& table, const object_layout& type,
                             const field_layout& field) {
    if (field.required)
        return fail(table.at, "a required field is missing");
    if (field.type.base == reflection::Union && !without_value(table, type, field))
        return false;
    if (!options_.defaults || field.deprecated)
        return true;
    if (field.holds_scalar() && !field.optional)
        scalar(field.type, field.default_bits);
    else if (to_.back() == ':')
        to_ += "null";
    return true;
}

// A union with a type but no value is printed as null; a vector of unions must have both or
// neither.
bool payload_printer::without_value(const payload_reader::table& table, const object_layout& type,
                                    const field_layout& field) {
    const field_layout& of = type.fields[static_cast<std::size_t>(field.type_field)];
    const std::size_t type_at = in_.field(table, of.offset);
    if (type_at == 0)
        return true;
    if (field.many == multiplicity::vector)
        return fail(table.at, "a vector of unions has types and no values");
    const auto chosen = in_.get<std::uint8_t>(type_at);
    if (chosen == 0)
        return true;
    if (schema_.enumeration(field.type.enumeration).find(chosen) == nullptr)
        return fail(type_at, "a union holds a member that the schema does not describe");
    to_ += "null";
    return true;
}

bool payload_printer::present(const payload_reader::table& table, const object_layout& type,
                              const field_layout& field, std::size_t at) {
    if (field.many == multiplicity::vector) {
        const auto target = in_.follow(at);
        return target ? vector(table, type, field, *target)
                      : fail(at, "the offset of a vector points nowhere");
    }
    if (flatbuffers::IsScalar(field.type.base)) {
        if (!in_.holds(at, field.type.bytes, field.type.align))
            return fail(at, "a number lies outside the payload");
        const std::uint64_t bits = in_.bits(at, field.type.bytes);
        if (options_.defaults || field.optional || bits != field.default_bits)
            scalar(field.type, bits);
        return true;
    }
    if (field.type.base == reflection::Union)
        return union_value(table, type, field, at);
    return reference(field.type, at);
}

// A struct is at `at` itself; for a string or table, `at` holds an offset to it.
bool payload_printer::reference(const value_type& type, std::size_t at) {
    if (type.base == reflection::Obj && schema_.object(type.object).is_struct) {
        if (!in_.holds(at, type.bytes, type.align))
            return fail(at, "a struct lies outside the payload");
        return structure(at, schema_.object(type.object));
    }
    const auto target = in_.follow(at);
    if (!target)
        return fail(at, "an offset points nowhere");
    return type.base == reflection::String ? string(*target)
                                           : table(*target, schema_.object(type.object));
}

// The caller has checked that the whole struct is in the payload.
bool payload_printer::structure(std::size_t at, const object_layout& type) {
    to_ += '{';
    for (const field_layout& field : type.fields) {
        if (field.id != 0)
            to_ += ',';
        to_ += field.key;
        const std::size_t place = at + field.offset;
        if (!(field.many == multiplicity::array ? array(field, place)
                                                : inside_struct(field.type, place)))
            return in_field(field);
    }
    to_ += '}';
    return within_text_limit(at);
}

bool payload_printer::array(const field_layout& field, std::size_t at) {
    to_ += '[';
    for (std::uint32_t i = 0; i < field.array_length; ++i) {
        if (i != 0)
            to_ += ',';
        if (!inside_struct(field.type, at + std::size_t{i} * field.type.bytes))
            return in_element(i);
    }
    to_ += ']';
    return true;
}

bool payload_printer::inside_struct(const value_type& type, std::size_t at) {
    if (type.base == reflection::Obj)
        return structure(at, schema_.object(type.object));
    scalar_at(type, at);
    return true;
}

bool payload_printer::string(std::size_t at) {
    const auto bytes = in_.vector(at, 1, 1);
    if (!bytes)
        return fail(at, "a string lies outside the payload");
    const std::size_t end = bytes->at + bytes->count;
    if (!in_.holds(end, 1, 1) || in_.get<char>(end) != '\0')
        return fail(at, "a string has no terminator");
    const std::span<const std::byte> raw = in_.get(bytes->at, bytes->count);
    const std::string_view text{reinterpret_cast<const char*>(raw.data()), raw.size()};
    if (is_utf8(text))
        append_quoted(to_, text);
    else
        bytes_of(raw);
    return within_text_limit(at);
}

void payload_printer::bytes_of(std::span<const std::byte> bytes) {
    to_ += '[';
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i != 0)
            to_ += ',';
        append_integer(to_, static_cast<std::uint64_t>(bytes[i]));
    }
    to_ += ']';
}

}  // namespace pawl::detail

namespace pawl {

result<void> json_printer::print(std::span<const std::byte> payload, std::string& to) const {
    const std::size_t before = to.size();
    auto printed = detail::guarded([&]() -> result<void> {
        if (payload.size() > options_.limits.max_bytes)
            return fail(errc::too_large,
                        "a payload of " + std::to_string(payload.size()) + " bytes where " +
                            std::to_string(options_.limits.max_bytes) + " are allowed");
        const detail::schema_layout& layout = of_->layout();
        detail::payload_printer printer{layout, options_, payload, to};
        if (printer.root(layout.object(layout.root)))
            return {};
        return std::unexpected(printer.failure());
    });
    if (!printed)
        to.resize(before);
    return printed;
}

}  // namespace pawl
