// Vectors, unions, vectors of unions and nested FlatBuffers.
#include "json/printer.hpp"
#include "json/text.hpp"

namespace pawl::detail {

bool payload_printer::vector(const payload_reader::table& table, const object_layout& type,
                             const field_layout& field, std::size_t at) {
    const auto elements = in_.vector(at, field.type.bytes, field.type.align);
    if (!elements)
        return fail(at, "a vector lies outside the payload");
    if (field.nested_object >= 0)
        return nested(field, *elements);
    if (field.type.base == reflection::Union)
        return union_vector(table, type, field, *elements);
    to_ += '[';
    for (std::uint32_t i = 0; i < elements->count; ++i) {
        if (i != 0)
            to_ += ',';
        if (!element(field, elements->at + std::size_t{i} * field.type.bytes))
            return in_element(i);
    }
    to_ += ']';
    return true;
}

bool payload_printer::element(const field_layout& field, std::size_t at) {
    if (flatbuffers::IsScalar(field.type.base)) {
        scalar_at(field.type, at);
        return true;
    }
    return reference(field.type, at);
}

bool payload_printer::union_value(const payload_reader::table& table, const object_layout& type,
                                  const field_layout& field, std::size_t at) {
    const field_layout& of = type.fields[static_cast<std::size_t>(field.type_field)];
    const std::size_t type_at = in_.field(table, of.offset);
    if (type_at == 0)
        return true;  // no member is set: the union's value has no meaning
    // Printing a whole table checks the type first; reading this field alone does not.
    if (!in_.holds(type_at, 1, 1))
        return fail(type_at, "the type of a union lies outside the payload");
    return member(field, in_.get<std::uint8_t>(type_at), at);
}

bool payload_printer::union_vector(const payload_reader::table& table, const object_layout& type,
                                   const field_layout& field, payload_reader::elements values) {
    const field_layout& of = type.fields[static_cast<std::size_t>(field.type_field)];
    const std::size_t types_at = in_.field(table, of.offset);
    const auto start = types_at == 0 ? std::nullopt : in_.follow(types_at);
    const auto types = start ? in_.vector(*start, 1, 1) : std::nullopt;
    if (!types || types->count != values.count)
        return fail(values.at, "a vector of unions has another number of types");
    to_ += '[';
    for (std::uint32_t i = 0; i < values.count; ++i) {
        if (i != 0)
            to_ += ',';
        const std::size_t before = to_.size();
        if (!member(field, in_.get<std::uint8_t>(types->at + i), values.at + std::size_t{i} * 4))
            return in_element(i);
        if (to_.size() == before)
            to_ += "null";
    }
    to_ += ']';
    return true;
}

// Prints nothing for NONE.
bool payload_printer::member(const field_layout& field, std::uint8_t type, std::size_t at) {
    if (type == 0)
        return true;
    const enum_value* chosen = schema_.enumeration(field.type.enumeration).find(type);
    if (chosen == nullptr)
        return fail(at, "a union holds a member that the schema does not describe");
    const value_type& value = chosen->member;
    const auto target = in_.follow(at);
    if (!target)
        return fail(at, "the offset of a union points nowhere");
    if (value.base == reflection::String)
        return string(*target);
    const object_layout& object = schema_.object(value.object);
    if (!object.is_struct)
        return table(*target, object);
    if (!in_.holds(*target, value.bytes, value.align))
        return fail(*target, "a struct lies outside the payload");
    return structure(*target, object);
}

// decode treats a nested FlatBuffer as plain bytes, so one that does not verify is not an error and
// is printed as bytes.
bool payload_printer::nested(const field_layout& field, payload_reader::elements bytes) {
    const std::span<const std::byte> inside = in_.get(bytes.at, bytes.count);
    const std::size_t before = to_.size();
    payload_printer printer{schema_, options_, inside, to_};
    printer.start_ = start_;
    if (bytes.count >= 8 && printer.root(schema_.object(field.nested_object), depth_))
        return true;
    if (!within_text_limit(bytes.at))
        return false;
    to_.resize(before);
    bytes_of(inside);
    return true;
}

}  // namespace pawl::detail
