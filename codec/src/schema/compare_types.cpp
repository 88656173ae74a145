// Compares structs, enums and unions.
#include "schema/compare.hpp"

#include <algorithm>

namespace pawl::detail {

// A struct's field starts where the previous one ends, so each change moves others; only the
// changed field is reported.
void schema_comparison::structs(const object_layout& was, const object_layout& is) {
    const std::size_t before = changes_.size();
    attributes(was.name, was.attributes, is.attributes);
    for (const field_layout& from : was.fields) {
        const std::string where = was.name + "." + from.name;
        const int found = is.find(from.name, from.id);
        if (found == from.id) {
            struct_field(where, from, is.fields[from.id]);
        } else if (found >= 0) {
            add(change_rule::struct_field_moved, where, "it comes after other fields");
        } else if (is.fields.size() == was.fields.size() && was.find(is.fields[from.id].name) < 0) {
            const field_layout& to = is.fields[from.id];
            add(change_rule::struct_field_renamed, where, "is called " + to.name);
            struct_field(where, from, to);
        } else {
            add(change_rule::struct_field_removed, where, "it is gone");
        }
    }
    if (is.fields.size() > was.fields.size())
        for (const field_layout& to : is.fields)
            if (was.find(to.name) < 0)
                add(change_rule::struct_field_added, is.name + "." + to.name,
                    "a new " + describe(after_, to));
    const bool told = std::any_of(
        changes_.begin() + static_cast<std::ptrdiff_t>(before), changes_.end(),
        [](const schema_change& one) { return one.verdict() >= change_verdict::needs_upcast; });
    const bool moved = !std::ranges::equal(was.fields, is.fields, {}, &field_layout::offset,
                                           &field_layout::offset);
    if (!told && (was.bytes != is.bytes || was.align != is.align || moved))
        add(change_rule::struct_layout_changed, was.name,
            "it took " + std::to_string(was.bytes) + " bytes at a multiple of " +
                std::to_string(was.align) + " and takes " + std::to_string(is.bytes) + " at " +
                std::to_string(is.align));
}

void schema_comparison::struct_field(const std::string& where, const field_layout& from,
                                     const field_layout& to) {
    attributes(where, from.attributes, to.attributes);
    const bool changed =
        from.many != to.many ||
        (from.type.base != to.type.base && (from.type.enumeration < 0 || to.type.enumeration < 0));
    if (changed)
        return add(change_rule::struct_field_type_changed, where,
                   describe(before_, from) + " became " + describe(after_, to));
    if (from.array_length != to.array_length)
        return add(change_rule::struct_array_length_changed, where,
                   describe(before_, from) + " became " + describe(after_, to));
    types(where, from.type, to.type);
}

void schema_comparison::enum_values(const enum_layout& was, const enum_layout& is) {
    if (was.underlying != is.underlying)
        add(change_rule::enum_type_changed, was.name,
            std::string{name_of(was.underlying)} + " became " +
                std::string{name_of(is.underlying)});
    if (was.bit_flags != is.bit_flags)
        return add(change_rule::bit_flags_changed, was.name, "its values mean something else");
    for (const enum_value& from : was.values) {
        const std::string where = was.name + "." + from.name;
        const enum_value* same_name = is.find(from.name);
        const enum_value* same_number = is.find(from.value);
        if (same_name != nullptr && same_name->value != from.value)
            add(change_rule::enum_value_renumbered, where,
                "was " + std::to_string(from.value) + " and is " +
                    std::to_string(same_name->value));
        else if (same_name == nullptr && same_number != nullptr &&
                 was.find(same_number->name) == nullptr)
            add(change_rule::enum_value_renamed, where, "is called " + same_number->name);
        else if (same_name == nullptr)
            add(change_rule::enum_value_removed, where, "it is gone");
    }
    for (const enum_value& to : is.values)
        if (was.find(to.name) == nullptr && was.find(to.value) == nullptr)
            add(change_rule::enum_value_added, is.name + "." + to.name,
                "old programs see the number " + std::to_string(to.value));
}

void schema_comparison::union_members(const enum_layout& was, const enum_layout& is) {
    for (const enum_value& from : was.values) {
        const std::string where = was.name + "." + from.name;
        const enum_value* same_name = is.find(from.name);
        const enum_value* same_number = is.find(from.value);
        if (same_name != nullptr && same_name->value != from.value) {
            add(change_rule::union_member_renumbered, where,
                "was " + std::to_string(from.value) + " and is " +
                    std::to_string(same_name->value));
        } else if (same_name != nullptr) {
            member_type(where, from, *same_name);
        } else if (same_number != nullptr && was.find(same_number->name) == nullptr) {
            add(change_rule::union_member_renamed, where, "is called " + same_number->name);
            member_type(where, from, *same_number);
        } else {
            add(change_rule::union_member_removed, where, "it is gone");
        }
    }
    for (const enum_value& to : is.values)
        if (was.find(to.name) == nullptr && was.find(to.value) == nullptr)
            add(change_rule::union_member_added, is.name + "." + to.name,
                "old programs cannot read it");
}

void schema_comparison::member_type(const std::string& where, const enum_value& from,
                                    const enum_value& to) {
    const auto retargeted = [&] {
        add(change_rule::union_member_retargeted, where,
            describe(before_, from.member) + " became " + describe(after_, to.member));
    };
    if (from.member.base != to.member.base)
        return retargeted();
    if (from.member.base != reflection::Obj)
        return;
    const object_layout& was = before_.object(from.member.object);
    const object_layout& is = after_.object(to.member.object);
    const bool other =
        was.name != is.name && !renamed(was.name, is.name, before_.objects, after_.objects);
    if (was.is_struct != is.is_struct || other)
        return retargeted();
    objects(from.member.object, to.member.object);
}

}  // namespace pawl::detail
