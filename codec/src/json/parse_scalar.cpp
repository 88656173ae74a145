// Scalars: numbers, booleans, enums and bit flags.
#include "json/parser.hpp"
#include "json/text.hpp"

#include <bit>
#include <charconv>

namespace pawl::detail {

namespace {

std::uint64_t truncated(std::int64_t value, std::uint32_t bytes) noexcept {
    return static_cast<std::uint64_t>(value) & ~std::uint64_t{0} >> (64 - 8 * bytes);
}

std::string range_text(base_type type) {
    const integer_range range = range_of(type);
    std::string text{name_of(type)};
    text.append(" (").append(std::to_string(range.smallest)).append(" to ");
    return text.append(std::to_string(range.greatest)).append(")");
}

}  // namespace

bool json_parser_state::scalar(const value_type& type, std::uint64_t& bits) {
    if (type.base == reflection::Bool)
        return boolean(bits);
    if (flatbuffers::IsFloat(type.base))
        return real(type, bits);
    if (type.enumeration >= 0 && in_.peek() == '"')
        return enumerator(type, bits);
    return integer(type, bits);
}

// The printer prints a byte that is neither 0 nor 1 as a number, so a number is accepted.
bool json_parser_state::boolean(std::uint64_t& bits) {
    bits = 1;
    if (in_.take_word("true"))
        return true;
    bits = 0;
    if (in_.take_word("false"))
        return true;
    const std::size_t at = in_.position();
    const char first = in_.peek();
    if (first < '0' || first > '9')
        return refuse(at, "expected true or false");
    return integer({.base = reflection::UByte, .bytes = 1, .align = 1}, bits) &&
           (bits > 1 || refuse(at, "expected true or false"));
}

bool json_parser_state::enumerator(const value_type& type, std::uint64_t& bits) {
    const enum_layout& of = schema_.enumeration(type.enumeration);
    const std::size_t at = in_.position();
    std::string_view text;
    if (!in_.string(text))
        return false;
    const bool starts_as_number =
        !text.empty() && (text.front() == '-' || (text.front() >= '0' && text.front() <= '9'));
    if (flatbuffers::IsLong(type.base) && starts_as_number)
        return integer_text(text, at, type, bits);
    bits = 0;
    // One space separates the names of flags.
    for (std::string_view rest = text;;) {
        const std::size_t space = of.bit_flags ? rest.find(' ') : std::string_view::npos;
        const std::string_view name = rest.substr(0, space);
        const enum_value* value = of.find_any(name);
        if (value == nullptr)
            return refuse(at,
                          of.name + " has no value \"" + std::string{name.substr(0, 256)} + "\"");
        bits |= truncated(value->value, type.bytes);
        if (space == std::string_view::npos)
            return true;
        rest.remove_prefix(space + 1);
    }
}

bool json_parser_state::integer(const value_type& type, std::uint64_t& bits) {
    const char first = in_.peek();
    const std::size_t at = in_.position();
    std::string_view text;
    if (first == '"' && flatbuffers::IsLong(type.base))
        return in_.string(text) && integer_text(text, at, type, bits);
    if (first != '-' && (first < '0' || first > '9'))
        return refuse(
            at, type.enumeration >= 0
                    ? "expected a name or number of " + schema_.enumeration(type.enumeration).name
                    : "expected an integer of type " + std::string{name_of(type.base)});
    return in_.number(text) && integer_text(text, at, type, bits);
}

bool json_parser_state::integer_text(std::string_view text, std::size_t at, const value_type& type,
                                     std::uint64_t& bits) {
    const bool negative = text.starts_with('-');
    const std::string_view digits = text.substr(negative ? 1 : 0);
    const char* end = digits.data() + digits.size();
    std::uint64_t magnitude = 0;
    const auto [stopped, status] = std::from_chars(digits.data(), end, magnitude);
    if (digits.empty() || stopped != end || (digits.size() > 1 && digits.front() == '0'))
        return refuse(at, "expected an integer of type " + std::string{name_of(type.base)});
    const integer_range range = range_of(type.base);
    const std::uint64_t lowest = std::uint64_t{0} - static_cast<std::uint64_t>(range.smallest);
    if (status != std::errc{} || magnitude > (negative ? lowest : range.greatest))
        return refuse(at,
                      std::string{text.substr(0, 64)} + " does not fit " + range_text(type.base));
    const std::uint64_t value = negative ? std::uint64_t{0} - magnitude : magnitude;
    bits = truncated(static_cast<std::int64_t>(value), type.bytes);
    return true;
}

bool json_parser_state::real(const value_type& type, std::uint64_t& bits) {
    const bool is_double = type.base == reflection::Double;
    const char first = in_.peek();
    const std::size_t at = in_.position();
    std::string_view text;
    std::uint32_t narrow = 0;
    if (first == '"') {
        if (!in_.string(text))
            return false;
        if (!(is_double ? named_double(text, bits) : named_float(text, narrow)))
            return refuse(at, "expected a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
        bits = is_double ? bits : narrow;
        return true;
    }
    if (!in_.number(text))
        return false;
    const char* end = text.data() + text.size();
    double wide = 0;
    float single = 0;
    const auto status = is_double ? std::from_chars(text.data(), end, wide).ec
                                  : std::from_chars(text.data(), end, single).ec;
    if (status != std::errc{})
        return refuse(at, std::string{text.substr(0, 64)} + " does not fit a " +
                              std::string{name_of(type.base)});
    bits = is_double ? std::bit_cast<std::uint64_t>(wide) : std::bit_cast<std::uint32_t>(single);
    return true;
}

}  // namespace pawl::detail
