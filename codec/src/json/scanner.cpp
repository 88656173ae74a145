#include "json/scanner.hpp"

#include "json/text.hpp"

#include <algorithm>
#include <utility>

namespace pawl::detail {

namespace {

constexpr std::uint32_t max_skipped_depth = 256;

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

}  // namespace

char json_scanner::peek() noexcept {
    while (at_ < text_.size()) {
        const char c = text_[at_];
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            return c;
        ++at_;
    }
    return '\0';
}

bool json_scanner::take(char token) noexcept {
    if (peek() != token || at_ == text_.size())
        return false;
    ++at_;
    return true;
}

bool json_scanner::take_word(std::string_view word) noexcept {
    (void)peek();
    if (!text_.substr(at_).starts_with(word))
        return false;
    at_ += word.size();
    return true;
}

bool json_scanner::expect(char token) {
    return take(token) || fail(at_, std::string{"expected '"} + token + "'");
}

bool json_scanner::fail(std::size_t at, std::string reason, errc kind) {
    failed_at = at;
    why = std::move(reason);
    code = kind;
    return false;
}

std::string json_scanner::place(std::size_t at) const {
    const std::string_view before = text_.substr(0, at);
    const std::size_t line = before.rfind('\n');
    const std::size_t column = line == std::string_view::npos ? at : at - line - 1;
    return "line " + std::to_string(1 + std::ranges::count(before, '\n')) + ", column " +
           std::to_string(column + 1);
}

bool json_scanner::string(std::string_view& to) {
    if (!expect('"'))
        return false;
    const std::size_t start = at_;
    while (at_ < text_.size()) {
        const auto byte = static_cast<unsigned char>(text_[at_]);
        if (byte == '"') {
            to = text_.substr(start, at_ - start);
            ++at_;
            return true;
        }
        if (byte == '\\')
            return string_with_escapes(start, to);
        if (byte < 0x20)
            return fail(at_, "a control character inside a string must be escaped");
        const std::size_t length = byte < 0x80 ? 1 : utf8_length(text_.substr(at_));
        if (length == 0)
            return fail(at_, "a string that is not valid UTF-8");
        at_ += length;
    }
    return fail(at_, "a string without an end");
}

bool json_scanner::string_with_escapes(std::size_t start, std::string_view& to) {
    resolved_.assign(text_, start, at_ - start);
    while (at_ < text_.size()) {
        const auto byte = static_cast<unsigned char>(text_[at_]);
        if (byte == '"') {
            ++at_;
            to = resolved_;
            return true;
        }
        if (byte == '\\') {
            if (!escape())
                return false;
            continue;
        }
        if (byte < 0x20)
            return fail(at_, "a control character inside a string must be escaped");
        const std::size_t length = utf8_length(text_.substr(at_));
        if (length == 0)
            return fail(at_, "a string that is not valid UTF-8");
        resolved_.append(text_, at_, length);
        at_ += length;
    }
    return fail(at_, "a string without an end");
}

bool json_scanner::four_digits(std::uint32_t& to) {
    to = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
        const char c = at_ < text_.size() ? text_[at_] : '\0';
        const char lower = static_cast<char>(c | 0x20);
        if (is_digit(c))
            to = to * 16 + static_cast<std::uint32_t>(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            to = to * 16 + static_cast<std::uint32_t>(lower - 'a' + 10);
        else
            return fail(at_, "\\u needs four hexadecimal digits");
    }
    return true;
}

bool json_scanner::escape() {
    constexpr std::string_view names = "\"\\/bfnrt";
    constexpr std::string_view values = "\"\\/\b\f\n\r\t";
    const std::size_t start = at_++;
    const char kind = at_ < text_.size() ? text_[at_] : '\0';
    ++at_;
    if (const std::size_t i = names.find(kind); kind != '\0' && i != std::string_view::npos) {
        resolved_ += values[i];
        return true;
    }
    if (kind != 'u')
        return fail(start, "an escape that JSON does not have");
    std::uint32_t character = 0;
    if (!four_digits(character))
        return false;
    if (character >= 0xd800 && character <= 0xdbff) {
        std::uint32_t low = 0;
        if (!text_.substr(std::min(at_, text_.size())).starts_with("\\u"))
            return fail(start, "half of a surrogate pair");
        at_ += 2;
        if (!four_digits(low))
            return false;
        if (low < 0xdc00 || low > 0xdfff)
            return fail(start, "half of a surrogate pair");
        character = 0x10000 + ((character - 0xd800) << 10) + (low - 0xdc00);
    } else if (character >= 0xdc00 && character <= 0xdfff) {
        return fail(start, "half of a surrogate pair");
    }
    append_utf8(resolved_, character);
    return true;
}

void json_scanner::digits() noexcept {
    while (at_ < text_.size() && is_digit(text_[at_]))
        ++at_;
}

bool json_scanner::number(std::string_view& to) {
    (void)peek();
    const std::size_t start = at_;
    const auto next = [&] { return at_ < text_.size() ? text_[at_] : '\0'; };
    if (next() == '-')
        ++at_;
    const std::size_t whole = at_;
    digits();
    if (at_ == whole)
        return fail(start, "expected a number");
    if (text_[whole] == '0' && at_ - whole > 1)
        return fail(start, "a number that starts with 0");
    if (next() == '.') {
        const std::size_t fraction = ++at_;
        digits();
        if (at_ == fraction)
            return fail(start, "a number without digits after its point");
    }
    if (next() == 'e' || next() == 'E') {
        ++at_;
        if (next() == '+' || next() == '-')
            ++at_;
        const std::size_t exponent = at_;
        digits();
        if (at_ == exponent)
            return fail(start, "a number without digits in its exponent");
    }
    to = text_.substr(start, at_ - start);
    return true;
}

bool json_scanner::skip_value(std::uint32_t depth) {
    if (depth == max_skipped_depth)
        return fail(at_, "values are nested deeper than 256", errc::too_large);
    std::string_view ignored;
    switch (peek()) {
        case '"':
            return string(ignored);
        case '{':
            return skip_members(depth);
        case '[':
            return skip_elements(depth);
        case 't':
            return take_word("true") || fail(at_, "expected a value");
        case 'f':
            return take_word("false") || fail(at_, "expected a value");
        case 'n':
            return take_word("null") || fail(at_, "expected a value");
        default:
            return number(ignored);
    }
}

bool json_scanner::skip_members(std::uint32_t depth) {
    std::string_view ignored;
    (void)take('{');
    if (take('}'))
        return true;
    do {
        if (!string(ignored) || !expect(':') || !skip_value(depth + 1))
            return false;
    } while (take(','));
    return expect('}');
}

bool json_scanner::skip_elements(std::uint32_t depth) {
    (void)take('[');
    if (take(']'))
        return true;
    do {
        if (!skip_value(depth + 1))
            return false;
    } while (take(','));
    return expect(']');
}

}  // namespace pawl::detail
