#include "schema/build_layout.hpp"

#include "schema/reach.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <string>

namespace pawl::detail {

namespace {

// Attributes that the layout holds in fields of its own, and those for code generators.
constexpr std::string_view dropped_attributes[] = {"bit_flags",
                                                   "cpp_ptr_type",
                                                   "cpp_ptr_type_get",
                                                   "cpp_str_flex_ctor",
                                                   "cpp_str_type",
                                                   "cpp_type",
                                                   "csharp_partial",
                                                   "deprecated",
                                                   "flexbuffer",
                                                   "force_align",
                                                   "id",
                                                   "idempotent",
                                                   "key",
                                                   "native_custom_alloc",
                                                   "native_default",
                                                   "native_inline",
                                                   "native_type",
                                                   "native_type_pack_name",
                                                   "nested_flatbuffer",
                                                   "original_order",
                                                   "private",
                                                   "required",
                                                   "shared",
                                                   "streaming"};

using key_values = flatbuffers::Vector<flatbuffers::Offset<reflection::KeyValue>>;

attribute_list kept_attributes(const key_values* all) {
    attribute_list kept;
    if (all != nullptr)
        for (const reflection::KeyValue* one : *all)
            if (!std::ranges::binary_search(dropped_attributes, text_of(one->key())))
                kept.emplace_back(text_of(one->key()), text_of(one->value()));
    std::ranges::sort(kept);
    return kept;
}

bool has_attribute(const key_values* all, std::string_view name) {
    return all != nullptr && std::ranges::any_of(*all, [&](const reflection::KeyValue* one) {
               return text_of(one->key()) == name;
           });
}

// Needs no escaping: names hold no characters that JSON escapes.
std::string quoted(const flatbuffers::String& name) {
    std::string made{'"'};
    made += name.string_view();
    made += '"';
    return made;
}

// Returns the default as its bits in memory; nullopt if the type cannot hold it.
std::optional<std::uint64_t> default_bits(const reflection::Field& field, base_type base) {
    if (base == reflection::Double) {
        const double value = field.default_real();
        return std::isnan(value) ? std::uint64_t{0x7ff8} << 48
                                 : std::bit_cast<std::uint64_t>(value);
    }
    if (base == reflection::Float) {
        const double value = field.default_real();
        if (std::isnan(value))
            return std::uint64_t{0x7fc00000};
        if (std::isfinite(value) && std::abs(value) > std::numeric_limits<float>::max())
            return std::nullopt;
        return std::bit_cast<std::uint32_t>(static_cast<float>(value));
    }
    if (!fits(field.default_integer(), base))
        return std::nullopt;
    const std::size_t bytes = flatbuffers::GetTypeSize(base);
    const auto bits = static_cast<std::uint64_t>(field.default_integer());
    return bytes == 8 ? bits : bits & ((std::uint64_t{1} << (bytes * 8)) - 1);
}

class layout_builder {
  public:
    layout_builder(const reached_types& reached, const object_names& names, schema_layout& to)
        : reached_{reached}, names_{names}, to_{to} {}

    result<void> build() {
        to_.root = reached_.root;
        to_.objects.resize(reached_.objects.size());
        to_.enums.resize(reached_.enums.size());
        // First fills in the properties that fields need of the types they refer to.
        for (std::size_t i = 0; i < to_.objects.size(); ++i)
            if (auto done = outline(*reached_.objects[i], to_.objects[i]); !done)
                return done;
        for (std::size_t i = 0; i < to_.enums.size(); ++i)
            if (auto done = fill(*reached_.enums[i], to_.enums[i]); !done)
                return done;
        for (std::size_t i = 0; i < to_.objects.size(); ++i)
            if (auto done = fill(*reached_.objects[i], to_.objects[i]); !done)
                return done;
        return check_struct_nesting(to_);
    }

  private:
    static result<void> outline(const reflection::Object& from, object_layout& to) {
        to.name = from.name()->str();
        to.is_struct = from.is_struct();
        to.attributes = kept_attributes(from.attributes());
        if (!to.is_struct)
            return {};
        const auto align = static_cast<std::uint32_t>(from.minalign());
        if (from.minalign() <= 0 || align > 256 || !std::has_single_bit(align) ||
            from.bytesize() <= 0 || static_cast<std::uint32_t>(from.bytesize()) % align != 0)
            return malformed_schema("struct " + to.name +
                                    " has a size or alignment that cannot be");
        if (align > 8)
            return fail(errc::invalid_argument,
                        "struct " + to.name + " is aligned to " + std::to_string(align) +
                            " bytes where an event's payload is aligned to 8");
        to.bytes = static_cast<std::uint32_t>(from.bytesize());
        to.align = align;
        return {};
    }

    result<value_type> type_of(base_type base, std::int32_t index, const std::string& where) const {
        value_type made{.base = base};
        if (base == reflection::Obj) {
            made.object = reached_.object_position[static_cast<std::size_t>(index)];
            const object_layout& target = to_.object(made.object);
            made.bytes = target.is_struct ? target.bytes : 4;
            made.align = target.is_struct ? target.align : 4;
            return made;
        }
        if (base == reflection::Union || (flatbuffers::IsInteger(base) && index != -1)) {
            made.enumeration = reached_.enum_position[static_cast<std::size_t>(index)];
            const enum_layout& target = to_.enumeration(made.enumeration);
            const bool of_union = base == reflection::Union || base == reflection::UType;
            if (target.is_union != of_union || (!of_union && target.underlying != base))
                return malformed_schema(where + " has another type than its enum or union");
        } else if (base == reflection::UType ||
                   (!flatbuffers::IsScalar(base) && base != reflection::String)) {
            return malformed_schema(where + " has no type that a field can have");
        }
        made.bytes = static_cast<std::uint32_t>(flatbuffers::GetTypeSize(base));
        made.align = made.bytes;
        return made;
    }

    result<void> fill(const reflection::Enum& from, enum_layout& to) const {
        to.name = from.name()->str();
        to.is_union = from.is_union();
        to.underlying = base_of(*from.underlying_type());
        to.bit_flags = has_attribute(from.attributes(), "bit_flags");
        to.attributes = kept_attributes(from.attributes());
        const bool fits_kind = to.is_union ? to.underlying == reflection::UType
                                           : flatbuffers::IsInteger(to.underlying) &&
                                                 to.underlying != reflection::UType;
        if (!fits_kind || from.values()->size() == 0)
            return malformed_schema("enum " + to.name + " has a type or values that cannot be");
        for (const reflection::EnumVal* one : *from.values()) {
            enum_value value{
                .name = one->name()->str(), .quoted = quoted(*one->name()), .value = one->value()};
            if (!fits(value.value, to.underlying))
                return malformed_schema("a value of enum " + to.name + " does not fit its type");
            if (to.is_union)
                if (auto done = fill_member(*one, to, value); !done)
                    return done;
            to.values.push_back(std::move(value));
        }
        return sort_values(to);
    }

    result<void> fill_member(const reflection::EnumVal& from, const enum_layout& of,
                             enum_value& to) const {
        const reflection::Type* type = from.union_type();
        const base_type base = type == nullptr ? reflection::None : base_of(*type);
        const std::string where = "member " + to.name + " of union " + of.name;
        if ((base == reflection::None) != (to.value == 0))
            return malformed_schema(where + " has no type, or NONE has one");
        if (base == reflection::None)
            return {};
        if (base != reflection::Obj && base != reflection::String)
            return malformed_schema(where + " is neither a table nor a struct nor a string");
        auto member = type_of(base, type->index(), where);
        if (!member)
            return std::unexpected(std::move(member.error()));
        to.member = *member;
        return {};
    }

    static result<void> sort_values(enum_layout& to) {
        const bool is_unsigned = to.underlying == reflection::ULong;
        std::ranges::sort(to.values, [&](const enum_value& a, const enum_value& b) {
            return is_unsigned
                       ? static_cast<std::uint64_t>(a.value) < static_cast<std::uint64_t>(b.value)
                       : a.value < b.value;
        });
        std::vector<std::string_view> names;
        names.reserve(to.values.size());
        for (const enum_value& one : to.values)
            names.push_back(one.name);
        std::ranges::sort(names);
        if (std::ranges::adjacent_find(names) != names.end() ||
            std::ranges::adjacent_find(to.values, {}, &enum_value::value) != to.values.end())
            return malformed_schema("two values of enum " + to.name + " are the same");
        return {};
    }

    result<void> fill(const reflection::Object& from, object_layout& to) const {
        for (const reflection::Field* one : *from.fields()) {
            auto made = field_of(*one, to);
            if (!made)
                return std::unexpected(std::move(made.error()));
            to.fields.push_back(std::move(*made));
        }
        std::ranges::sort(to.fields, {}, &field_layout::id);
        to.by_name.resize(to.fields.size());
        std::iota(to.by_name.begin(), to.by_name.end(), std::uint16_t{0});
        const auto name = [&](std::uint16_t i) -> const std::string& { return to.fields[i].name; };
        std::ranges::sort(to.by_name, {}, name);
        if (std::ranges::adjacent_find(to.by_name, {}, name) != to.by_name.end())
            return malformed_schema("two fields of " + to.name + " have the same name");
        for (std::size_t i = 0; i < to.fields.size(); ++i)
            if (to.fields[i].id != i)
                return malformed_schema("the ids of the fields of " + to.name +
                                        " do not count up from 0");
        return to.is_struct ? check_struct(to_, to) : check_table(to);
    }

    result<field_layout> field_of(const reflection::Field& from,
                                  const object_layout& parent) const {
        field_layout made;
        made.name = from.name()->str();
        made.key = quoted(*from.name());
        made.key += ':';
        const std::string where = parent.name + "." + made.name;
        const reflection::Type& type = *from.type();
        base_type base = base_of(type);
        if (base == reflection::Vector || base == reflection::Array) {
            made.many = base == reflection::Vector ? multiplicity::vector : multiplicity::array;
            made.array_length = type.fixed_length();
            base = element_of(type);
            if (made.many == multiplicity::array && made.array_length == 0)
                return malformed_schema(where + " is an array of no elements");
        }
        auto element = type_of(base, type.index(), where);
        if (!element)
            return std::unexpected(std::move(element.error()));
        made.type = *element;
        made.id = from.id();
        made.offset = from.offset();
        made.required = from.required();
        made.deprecated = from.deprecated();
        made.is_key = from.key();
        made.flexbuffer = has_attribute(from.attributes(), "flexbuffer");
        made.attributes = kept_attributes(from.attributes());
        if (made.holds_scalar()) {
            made.optional = from.optional() && !parent.is_struct;
            const auto bits = default_bits(from, base);
            if (!bits)
                return malformed_schema("the default of " + where + " does not fit its type");
            made.default_bits = made.optional || parent.is_struct ? 0 : *bits;
        }
        return nest(from, parent, std::move(made));
    }

    result<field_layout> nest(const reflection::Field& from, const object_layout& parent,
                              field_layout made) const {
        const auto* nested = attribute_of(from, "nested_flatbuffer");
        if (nested == nullptr || made.type.enumeration >= 0 || made.type.base == reflection::Obj)
            return made;
        const std::int32_t target = names_.find_from(parent.name, text_of(nested));
        made.nested_object = reached_.object_position[static_cast<std::size_t>(target)];
        if (made.many != multiplicity::vector || made.type.base != reflection::UByte ||
            to_.object(made.nested_object).is_struct)
            return malformed_schema(parent.name + "." + made.name +
                                    " cannot hold a nested FlatBuffer");
        return made;
    }

    const reached_types& reached_;
    const object_names& names_;
    schema_layout& to_;
};

}  // namespace

result<std::unique_ptr<schema_layout>> build_layout(const reflection::Schema& from,
                                                    std::string_view table,
                                                    const schema_limits& limits) {
    const object_names names{from};
    auto reached = reach(from, table, limits, names);
    if (!reached)
        return std::unexpected(std::move(reached.error()));
    auto made = std::make_unique<schema_layout>();
    if (auto done = layout_builder{*reached, names, *made}.build(); !done)
        return std::unexpected(std::move(done.error()));
    if (made->object(made->root).is_struct)
        return fail(errc::invalid_argument,
                    made->object(made->root).name + " is a struct where an event is a table");
    return made;
}

}  // namespace pawl::detail
