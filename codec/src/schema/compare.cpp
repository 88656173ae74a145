// Compares tables and the types that their fields refer to. compare_types.cpp compares structs,
// enums and unions.
#include "schema/compare.hpp"

#include <pawl/journal/detail/guarded.hpp>

#include <algorithm>
#include <utility>

namespace pawl::detail {

std::vector<schema_change> schema_comparison::compare() && {
    const object_layout& was = before_.object(before_.root);
    const object_layout& is = after_.object(after_.root);
    if (was.name != is.name)
        add(change_rule::type_renamed, was.name, "is called " + is.name);
    seen_objects_.emplace(before_.root, after_.root);
    tables(was, is);
    return std::move(changes_);
}

void schema_comparison::add(change_rule rule, std::string where, std::string what) {
    changes_.push_back({rule, std::move(where), std::move(what)});
}

std::string schema_comparison::describe(const schema_layout& in, const value_type& type) const {
    if (type.base == reflection::Obj)
        return in.object(type.object).name;
    if (type.enumeration >= 0)
        return in.enumeration(type.enumeration).name;
    return std::string{name_of(type.base)};
}

std::string schema_comparison::describe(const schema_layout& in, const field_layout& field) const {
    std::string type = describe(in, field.type);
    switch (field.many) {
        case multiplicity::vector:
            return "[" + type + "]";
        case multiplicity::array:
            return "[" + type + ":" + std::to_string(field.array_length) + "]";
        default:
            return type;
    }
}

// A type with a different name counts as renamed, unless either name belongs to another type in the
// other schema.
template <class Type>
bool schema_comparison::renamed(const std::string& was, const std::string& is,
                                const std::vector<Type>& in_before,
                                const std::vector<Type>& in_after) {
    const bool known = std::ranges::find(in_before, is, &Type::name) != in_before.end() ||
                       std::ranges::find(in_after, was, &Type::name) != in_after.end();
    return !known;
}
template bool schema_comparison::renamed(const std::string&, const std::string&,
                                         const std::vector<object_layout>&,
                                         const std::vector<object_layout>&);
template bool schema_comparison::renamed(const std::string&, const std::string&,
                                         const std::vector<enum_layout>&,
                                         const std::vector<enum_layout>&);

void schema_comparison::objects(std::int32_t was, std::int32_t is) {
    if (!seen_objects_.emplace(was, is).second)
        return;
    const object_layout& from = before_.object(was);
    const object_layout& to = after_.object(is);
    if (from.name != to.name) {
        if (!renamed(from.name, to.name, before_.objects, after_.objects))
            return add(change_rule::type_replaced, from.name, "is replaced by " + to.name);
        add(change_rule::type_renamed, from.name, "is called " + to.name);
    }
    if (from.is_struct)
        structs(from, to);
    else
        tables(from, to);
}

void schema_comparison::enums(std::int32_t was, std::int32_t is) {
    if (!seen_enums_.emplace(was, is).second)
        return;
    const enum_layout& from = before_.enumeration(was);
    const enum_layout& to = after_.enumeration(is);
    if (from.name != to.name) {
        if (!renamed(from.name, to.name, before_.enums, after_.enums))
            return add(change_rule::type_replaced, from.name, "is replaced by " + to.name);
        add(change_rule::type_renamed, from.name, "is called " + to.name);
    }
    attributes(from.name, from.attributes, to.attributes);
    if (from.is_union)
        union_members(from, to);
    else
        enum_values(from, to);
}

void schema_comparison::tables(const object_layout& was, const object_layout& is) {
    attributes(was.name, was.attributes, is.attributes);
    for (const field_layout& from : was.fields) {
        // A union's type field moves with its union.
        if (from.type.base == reflection::UType)
            continue;
        const std::string where = was.name + "." + from.name;
        const int moved_to = is.find(from.name, from.id);
        if (moved_to >= 0 && moved_to != from.id) {
            add(change_rule::field_moved, where,
                "its id was " + std::to_string(from.id) + " and is " + std::to_string(moved_to));
            continue;
        }
        const field_layout* to = from.id < is.fields.size() ? &is.fields[from.id] : nullptr;
        if (moved_to < 0 && (to == nullptr || was.find(to->name) >= 0)) {
            add(change_rule::field_removed, where, "it is gone: deprecate it instead");
            continue;
        }
        table_field(was, from, *to);
    }
    for (const field_layout& to : is.fields) {
        if (to.id < was.fields.size() || to.type.base == reflection::UType ||
            was.find(to.name) >= 0)
            continue;
        add(to.required ? change_rule::required_field_added : change_rule::field_added,
            is.name + "." + to.name, "a new " + describe(after_, to));
    }
}

void schema_comparison::table_field(const object_layout& was, const field_layout& from,
                                    const field_layout& to) {
    const std::string where = was.name + "." + from.name;
    if (from.name != to.name)
        add(change_rule::field_renamed, where, "is called " + to.name);
    if (!from.deprecated && to.deprecated)
        add(change_rule::field_deprecated, where, "programs no longer see it");
    if (from.deprecated && !to.deprecated)
        add(change_rule::field_undeprecated, where, "what old events hold there is seen again");
    attributes(where, from.attributes, to.attributes);
    if (from.many != to.many)
        return add(change_rule::field_multiplicity_changed, where,
                   describe(before_, from) + " became " + describe(after_, to));
    if (types(where, from.type, to.type))
        field_flags(where, from, to);
}

void schema_comparison::attributes(const std::string& where, const attribute_list& was,
                                   const attribute_list& is) {
    if (was != is)
        add(change_rule::attribute_changed, where, "its attributes are others");
}

void schema_comparison::field_flags(const std::string& where, const field_layout& from,
                                    const field_layout& to) {
    if (from.holds_scalar()) {
        if (!from.optional && to.optional)
            add(change_rule::field_made_optional, where,
                "where old events hold its default they now hold null");
        else if (from.optional && !to.optional)
            add(change_rule::field_made_mandatory, where,
                "where old events hold null they now hold its default");
        else if (from.default_bits != to.default_bits && from.type.bytes == to.type.bytes)
            add(change_rule::field_default_changed, where,
                "where old events hold its default they now hold another");
    }
    if (!from.required && to.required)
        add(change_rule::required_added, where, "old events may be without it");
    if (from.required && !to.required)
        add(change_rule::required_removed, where, "old programs refuse events without it");
    if (from.is_key != to.is_key)
        add(change_rule::key_changed, where, "vectors are sorted by another field");
    if (from.flexbuffer != to.flexbuffer)
        add(change_rule::flexbuffer_changed, where, "its bytes mean something else");
    nested(where, from, to);
}

void schema_comparison::nested(const std::string& where, const field_layout& from,
                               const field_layout& to) {
    if (from.nested_object < 0 && to.nested_object < 0)
        return;
    if (from.nested_object < 0)
        return add(change_rule::nested_added, where,
                   "its bytes are a " + after_.object(to.nested_object).name);
    const std::string& was = before_.object(from.nested_object).name;
    if (to.nested_object < 0)
        return add(change_rule::nested_removed, where, "its bytes are no " + was + " any more");
    const std::string& is = after_.object(to.nested_object).name;
    if (was != is && !renamed(was, is, before_.objects, after_.objects))
        return add(change_rule::nested_retargeted, where, "holds a " + is + " and no " + was);
    objects(from.nested_object, to.nested_object);
}

bool schema_comparison::types(const std::string& where, const value_type& from,
                              const value_type& to) {
    if (from.enumeration >= 0 && to.enumeration >= 0 &&
        before_.enumeration(from.enumeration).is_union ==
            after_.enumeration(to.enumeration).is_union) {
        enums(from.enumeration, to.enumeration);
        return true;
    }
    if (from.base != to.base) {
        add(change_rule::field_type_changed, where,
            describe(before_, from) + " became " + describe(after_, to));
        return false;
    }
    if (from.enumeration < 0 && to.enumeration >= 0)
        add(change_rule::enum_put_on_integer, where, "is a " + describe(after_, to));
    if (from.enumeration >= 0 && to.enumeration < 0)
        add(change_rule::enum_taken_off_integer, where, "was a " + describe(before_, from));
    if (from.base != reflection::Obj)
        return true;
    const bool was_struct = before_.object(from.object).is_struct;
    if (was_struct != after_.object(to.object).is_struct) {
        add(was_struct ? change_rule::struct_became_table : change_rule::table_became_struct, where,
            describe(before_, from) + " became " + describe(after_, to));
        return false;
    }
    objects(from.object, to.object);
    return true;
}

}  // namespace pawl::detail

namespace pawl {

result<std::vector<schema_change>> compare_schemas(const schema& before, const schema& after) {
    return detail::guarded([&]() -> result<std::vector<schema_change>> {
        return detail::schema_comparison{before.layout(), after.layout()}.compare();
    });
}

}  // namespace pawl
