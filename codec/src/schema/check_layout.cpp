// Checks the constraints between the fields of a struct or table, which FlatBuffers' verifier does
// not check. The printer and the parser rely on them.
#include "schema/build_layout.hpp"
#include "schema/reach.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace pawl::detail {

result<void> check_struct(const schema_layout& in, const object_layout& at) {
    std::uint64_t end = 0;
    for (const field_layout& field : at.fields) {
        const std::string where = at.name + "." + field.name;
        const bool holds_struct =
            field.type.base == reflection::Obj && in.object(field.type.object).is_struct;
        const bool holds_scalar =
            flatbuffers::IsScalar(field.type.base) && field.type.base != reflection::UType;
        if ((!holds_struct && !holds_scalar) || field.many == multiplicity::vector)
            return malformed_schema(where + " has a type that no struct can hold");
        const std::uint64_t count = field.many == multiplicity::array ? field.array_length : 1;
        if (field.offset < end || field.offset % field.type.align != 0 ||
            field.type.align > at.align)
            return malformed_schema(where + " is at an impossible offset");
        end = field.offset + count * field.type.bytes;
        if (end > at.bytes)
            return malformed_schema(where + " lies outside its struct");
        if (field.required || field.deprecated)
            return malformed_schema(where + " is required or deprecated inside a struct");
    }
    if (at.fields.empty())
        return malformed_schema("struct " + at.name + " has no fields");
    return {};
}

namespace {

// A union's type must be the field before it, with the matching name.
result<void> check_union(object_layout& at, std::size_t i) {
    field_layout& field = at.fields[i];
    const std::string where = at.name + "." + field.name;
    if (i == 0)
        return malformed_schema(where + " is a union without a type");
    const field_layout& type = at.fields[i - 1];
    if (type.type.base != reflection::UType || type.many != field.many ||
        type.type.enumeration != field.type.enumeration || type.name != field.name + "_type")
        return malformed_schema(where + " is a union without a type");
    field.type_field = static_cast<std::int32_t>(i - 1);
    return {};
}

}  // namespace

result<void> check_table(object_layout& at) {
    for (std::size_t i = 0; i < at.fields.size(); ++i) {
        field_layout& field = at.fields[i];
        const std::string where = at.name + "." + field.name;
        if (field.offset != 4 + 2 * i)
            return malformed_schema(where + " has another offset than its id gives");
        if (field.many == multiplicity::array)
            return malformed_schema(where + " is an array outside a struct");
        if (field.required && field.holds_scalar())
            return malformed_schema(where + " is a scalar and required");
        if (field.type.base == reflection::Union)
            if (auto done = check_union(at, i); !done)
                return done;
        // A type field without its union could be printed but never parsed.
        if (field.type.base == reflection::UType &&
            (i + 1 == at.fields.size() || at.fields[i + 1].type.base != reflection::Union))
            return malformed_schema(where + " is the type of no union");
    }
    return {};
}

namespace {

constexpr std::uint32_t max_struct_depth = 32;

// Returns the nesting depth of the structs in `at`, itself included; 0 if it is deeper than allowed
// or infinite. A struct is stored inside the one that holds it, so none can hold itself; the
// printer does not count their depth.
std::uint32_t struct_depth(const schema_layout& in, std::int32_t index,
                           std::vector<std::uint32_t>& known, std::uint32_t above) {
    std::uint32_t& mine = known[static_cast<std::size_t>(index)];
    if (mine != 0)
        return mine;
    if (above == max_struct_depth)
        return 0;
    std::uint32_t deepest = 0;
    for (const field_layout& field : in.object(index).fields) {
        if (field.type.base != reflection::Obj)
            continue;
        const std::uint32_t inner = struct_depth(in, field.type.object, known, above + 1);
        if (inner == 0)
            return 0;
        deepest = std::max(deepest, inner);
    }
    mine = deepest + 1;
    return mine > max_struct_depth ? 0 : mine;
}

}  // namespace

result<void> check_struct_nesting(const schema_layout& in) {
    std::vector<std::uint32_t> known(in.objects.size(), 0);
    for (std::size_t i = 0; i < in.objects.size(); ++i)
        if (in.objects[i].is_struct &&
            struct_depth(in, static_cast<std::int32_t>(i), known, 0) == 0)
            return malformed_schema("structs in " + in.objects[i].name + " nest deeper than " +
                                    std::to_string(max_struct_depth));
    return {};
}

}  // namespace pawl::detail
