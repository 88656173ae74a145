// Scalars: numbers, booleans, enums and bit flags.
#include "json/printer.hpp"
#include "json/text.hpp"

namespace pawl::detail {

namespace {

std::int64_t signed_value(base_type base, std::uint64_t bits) noexcept {
    switch (base) {
        case reflection::Byte:
            return static_cast<std::int8_t>(bits);
        case reflection::Short:
            return static_cast<std::int16_t>(bits);
        case reflection::Int:
            return static_cast<std::int32_t>(bits);
        default:
            return static_cast<std::int64_t>(bits);
    }
}

// "read write" for two flags; false, with nothing printed, if a bit has no name.
bool append_flags(std::string& to, const enum_layout& of, const value_type& type,
                  std::uint64_t bits) {
    const std::uint64_t all = ~std::uint64_t{0} >> (64 - 8 * type.bytes);
    const std::size_t before = to.size();
    std::uint64_t unnamed = bits;
    to += '"';
    for (const enum_value& one : of.values) {
        const auto flag = static_cast<std::uint64_t>(one.value) & all;
        if (flag == 0 || (bits & flag) != flag)
            continue;
        if (to.size() != before + 1)
            to += ' ';
        to += one.name;
        unnamed &= ~flag;
    }
    to += '"';
    if (unnamed == 0 && bits != 0)
        return true;
    to.resize(before);
    return false;
}

}  // namespace

void payload_printer::scalar_at(const value_type& type, std::size_t at) {
    scalar(type, in_.bits(at, type.bytes));
}

void payload_printer::scalar(const value_type& type, std::uint64_t bits) {
    switch (type.base) {
        case reflection::Double:
            return append_double(to_, bits);
        case reflection::Float:
            return append_float(to_, static_cast<std::uint32_t>(bits));
        case reflection::Bool:
            // Every reader treats any byte but 0 as true, but a value above 1 must survive printing
            // and parsing.
            if (bits > 1)
                return append_integer(to_, bits);
            to_ += bits == 0 ? "false" : "true";
            return;
        default:
            if (type.enumeration >= 0)
                return enumerator(schema_.enumeration(type.enumeration), type, bits);
            return integer(type, bits);
    }
}

void payload_printer::integer(const value_type& type, std::uint64_t bits) {
    const bool quoted = options_.long_integers_as_strings && flatbuffers::IsLong(type.base);
    if (quoted)
        to_ += '"';
    if (range_of(type.base).smallest == 0)
        append_integer(to_, bits);
    else
        append_integer(to_, signed_value(type.base, bits));
    if (quoted)
        to_ += '"';
}

void payload_printer::enumerator(const enum_layout& of, const value_type& type,
                                 std::uint64_t bits) {
    if (of.bit_flags && append_flags(to_, of, type, bits))
        return;
    const enum_value* value = of.bit_flags ? nullptr : of.find(signed_value(type.base, bits));
    if (value != nullptr)
        to_ += value->quoted;
    else
        integer(type, bits);
}

}  // namespace pawl::detail
