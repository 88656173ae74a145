#include "schema/layout.hpp"

#include <algorithm>
#include <limits>

namespace pawl::detail {

namespace {

// What an earlier name means; null if it is none.
template <class Target>
const Target* meaning_of(const alias_list<Target>& aliases, std::string_view name) noexcept {
    const auto at =
        std::ranges::lower_bound(aliases, name, {}, &std::pair<std::string, Target>::first);
    return at == aliases.end() || at->first != name ? nullptr : &at->second;
}

}  // namespace

int object_layout::find(std::string_view field, std::size_t hint) const noexcept {
    if (hint < fields.size() && fields[hint].name == field)
        return static_cast<int>(hint);
    const auto at = std::ranges::lower_bound(
        by_name, field, {},
        [&](std::uint16_t position) -> std::string_view { return fields[position].name; });
    if (at == by_name.end() || fields[*at].name != field)
        return -1;
    return *at;
}

int object_layout::find_any(std::string_view field, std::size_t hint) const noexcept {
    if (const int found = find(field, hint); found >= 0)
        return found;
    const std::uint16_t* position = meaning_of(aliases, field);
    return position == nullptr ? -1 : *position;
}

const enum_value* enum_layout::find(std::int64_t value) const noexcept {
    // The values of most enums count up from 0, so the value is its own position.
    if (const auto position = static_cast<std::uint64_t>(value);
        position < values.size() && values[position].value == value)
        return &values[position];
    const bool is_unsigned = underlying == reflection::ULong;
    const auto less = [&](std::int64_t a, std::int64_t b) {
        return is_unsigned ? static_cast<std::uint64_t>(a) < static_cast<std::uint64_t>(b) : a < b;
    };
    const auto at = std::ranges::lower_bound(values, value, less, &enum_value::value);
    return at == values.end() || at->value != value ? nullptr : &*at;
}

const enum_value* enum_layout::find(std::string_view value) const noexcept {
    const auto at = std::ranges::find(values, value, &enum_value::name);
    return at == values.end() ? nullptr : &*at;
}

const enum_value* enum_layout::find_any(std::string_view value) const noexcept {
    if (const enum_value* found = find(value))
        return found;
    const std::int64_t* number = meaning_of(aliases, value);
    return number == nullptr ? nullptr : find(*number);
}

integer_range range_of(base_type type) noexcept {
    const auto limits = []<class Integer>(Integer) {
        return integer_range{static_cast<std::int64_t>(std::numeric_limits<Integer>::min()),
                             static_cast<std::uint64_t>(std::numeric_limits<Integer>::max())};
    };
    switch (type) {
        case reflection::Bool:
            return {0, 1};
        case reflection::UType:
        case reflection::UByte:
            return limits(std::uint8_t{});
        case reflection::Byte:
            return limits(std::int8_t{});
        case reflection::Short:
            return limits(std::int16_t{});
        case reflection::UShort:
            return limits(std::uint16_t{});
        case reflection::Int:
            return limits(std::int32_t{});
        case reflection::UInt:
            return limits(std::uint32_t{});
        case reflection::ULong:
            return limits(std::uint64_t{});
        default:
            return limits(std::int64_t{});
    }
}

bool fits(std::int64_t value, base_type type) noexcept {
    if (type == reflection::ULong || type == reflection::Long)
        return true;  // a ulong is described by the same 64 bits
    const integer_range range = range_of(type);
    return value >= range.smallest && value <= static_cast<std::int64_t>(range.greatest);
}

std::string_view name_of(base_type type) noexcept {
    constexpr std::string_view names[] = {"none",   "utype",  "bool",   "byte",   "ubyte", "short",
                                          "ushort", "int",    "uint",   "long",   "ulong", "float",
                                          "double", "string", "vector", "object", "union", "array"};
    const auto index = static_cast<std::size_t>(type);
    return index < std::size(names) ? names[index] : "?";
}

}  // namespace pawl::detail
