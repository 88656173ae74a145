// A checked schema, in the form that the printer, the parser and the comparison use.
#pragma once

#include <flatbuffers/reflection.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl::detail {

using base_type = reflection::BaseType;

// The attributes that the canonical form keeps, sorted by name. Left out are those that the layout
// holds in fields (id, required, force_align, ...) and those for code generators.
using attribute_list = std::vector<std::pair<std::string, std::string>>;

// Earlier names (schema::add_aliases_of), sorted by name, and what they mean now.
template <class Target>
using alias_list = std::vector<std::pair<std::string, Target>>;

// The type of a field's value, or of the elements if the field holds several.
struct value_type {
    base_type base = reflection::None;
    std::int32_t object = -1;       // the table or struct of an Obj
    std::int32_t enumeration = -1;  // of an integer, a UType or a Union
    std::uint32_t bytes = 0;        // in a table, struct or vector
    std::uint32_t align = 1;

    friend bool operator==(const value_type&, const value_type&) = default;
};

enum class multiplicity : std::uint8_t { one, vector, array };

struct field_layout {
    std::string name;
    std::string key;  // the name as JSON prints it, with quotes and colon
    value_type type;
    multiplicity many = multiplicity::one;
    std::uint16_t array_length = 0;
    std::uint16_t id = 0;
    std::uint16_t offset = 0;  // in the vtable, or from the start of the struct
    bool required = false;
    bool deprecated = false;
    bool optional = false;  // a scalar that can be null
    bool is_key = false;
    bool flexbuffer = false;
    std::int32_t nested_object = -1;  // the root table of a nested FlatBuffer
    std::int32_t type_field = -1;     // of a union: which field of the table holds its type
    std::uint64_t default_bits = 0;   // of a scalar, as in memory
    attribute_list attributes;

    [[nodiscard]] bool holds_scalar() const noexcept {
        return many == multiplicity::one && flatbuffers::IsScalar(type.base);
    }
};

struct object_layout {
    std::string name;
    bool is_struct = false;
    std::uint32_t bytes = 0;  // of a struct
    std::uint32_t align = 1;
    std::vector<field_layout> fields;    // by id; of a struct by offset, which is the same order
    std::vector<std::uint16_t> by_name;  // positions in `fields`
    alias_list<std::uint16_t> aliases;   // of positions in `fields`
    attribute_list attributes;

    // Returns the position of a field in `fields`, or -1. Tries `hint` first.
    [[nodiscard]] int find(std::string_view field, std::size_t hint = 0) const noexcept;
    // The same, by an earlier name too.
    [[nodiscard]] int find_any(std::string_view field, std::size_t hint = 0) const noexcept;
};

struct enum_value {
    std::string name{};
    std::string quoted{};  // the name as JSON prints it
    std::int64_t value = 0;
    value_type member{};  // of a union
};

struct enum_layout {
    std::string name;
    base_type underlying = reflection::None;
    bool is_union = false;
    bool bit_flags = false;
    std::vector<enum_value> values;  // ascending; of a ulong as unsigned numbers
    alias_list<std::int64_t> aliases;
    attribute_list attributes;

    [[nodiscard]] const enum_value* find(std::int64_t value) const noexcept;
    [[nodiscard]] const enum_value* find(std::string_view value) const noexcept;
    // The same, by an earlier name too.
    [[nodiscard]] const enum_value* find_any(std::string_view value) const noexcept;
};

struct schema_layout {
    std::vector<object_layout> objects;  // by name
    std::vector<enum_layout> enums;      // by name
    std::int32_t root = 0;
    std::vector<std::byte> canonical;

    [[nodiscard]] const object_layout& object(std::int32_t index) const noexcept {
        return objects[static_cast<std::size_t>(index)];
    }
    [[nodiscard]] const enum_layout& enumeration(std::int32_t index) const noexcept {
        return enums[static_cast<std::size_t>(index)];
    }
};

// The smallest and the greatest value of an integer type, the latter as unsigned.
struct integer_range {
    std::int64_t smallest;
    std::uint64_t greatest;
};
[[nodiscard]] integer_range range_of(base_type type) noexcept;
[[nodiscard]] bool fits(std::int64_t value, base_type type) noexcept;
// The type's name in a schema, such as "ushort".
[[nodiscard]] std::string_view name_of(base_type type) noexcept;

[[nodiscard]] std::vector<std::byte> encode_canonical(const schema_layout& from);

}  // namespace pawl::detail
