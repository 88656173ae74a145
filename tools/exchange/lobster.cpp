#include "lobster.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <utility>

namespace exchange {
namespace {

constexpr std::int64_t no_level_price = 9'999'999'999;
constexpr std::size_t message_columns = 6;

std::unexpected<csv_error> bad(std::size_t line, std::string field, std::string detail) {
    return std::unexpected(csv_error{line, std::move(field), std::move(detail)});
}

std::vector<std::string_view> split(std::string_view text) {
    if (text.ends_with('\r'))
        text.remove_suffix(1);
    std::vector<std::string_view> fields;
    for (std::size_t comma; (comma = text.find(',')) != std::string_view::npos;
         text.remove_prefix(comma + 1))
        fields.push_back(text.substr(0, comma));
    fields.push_back(text);
    return fields;
}

template <std::integral Number>
bool read(std::string_view text, Number& number) {
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    return failed == std::errc{} && end == text.data() + text.size();
}

// "34200.00426" is 34200 seconds and 4,260,000 nanoseconds; a double would round.
bool read_time(std::string_view text, std::uint64_t& time_ns) {
    constexpr std::size_t digits = 9;
    constexpr std::uint32_t seconds_a_day = 86'400;
    const std::size_t dot = std::min(text.find('.'), text.size());
    std::string fraction{text.substr(std::min(dot + 1, text.size()))};
    if (fraction.size() > digits || (dot < text.size() && fraction.empty()))
        return false;
    fraction.resize(digits, '0');
    std::uint32_t seconds = 0;
    std::uint32_t nanoseconds = 0;
    if (!read(text.substr(0, dot), seconds) || !read(fraction, nanoseconds))
        return false;
    time_ns = seconds * std::uint64_t{1'000'000'000} + nanoseconds;
    return seconds < seconds_a_day;
}

struct level_place {
    std::size_t line;
    std::string side;  // "ask" or "bid"
    std::size_t number;

    [[nodiscard]] std::string field(std::string_view what) const {
        return fmt::format("{} {} {}", side, what, number);
    }
};

// Reads one level and adds it after the others of its side.
csv_result<void> add_level(std::string_view price_text, std::string_view size_text, side s,
                           const level_place& place, std::vector<published_level>& levels) {
    std::int64_t price = 0;
    std::uint32_t size = 0;
    if (!read(price_text, price))
        return bad(place.line, place.field("price"),
                   fmt::format("'{}' is not a price", price_text));
    if (!read(size_text, size))
        return bad(place.line, place.field("size"), fmt::format("'{}' is not a size", size_text));
    if (size == 0 && price == (s == side::sell ? no_level_price : -no_level_price))
        return {};
    if (size == 0)
        return bad(place.line, place.field("size"), "a level of size 0");
    if (price <= 0)
        return bad(place.line, place.field("price"), "a price is above 0");
    const std::int64_t before = levels.empty() ? price : levels.back().price;
    if (!levels.empty() && (s == side::sell ? price <= before : price >= before))
        return bad(place.line, place.field("price"), "not after the previous level");
    levels.push_back({price, size});
    return {};
}

}  // namespace

std::string csv_error::message() const {
    return fmt::format("line {}{}{}: {}", line, field.empty() ? "" : ", ", field, detail);
}

csv_result<lobster_message_data> parse_message(std::string_view text, std::size_t line) {
    const std::vector<std::string_view> fields = split(text);
    if (fields.size() != message_columns)
        return bad(line, "", fmt::format("a message has 6 fields, not {}", fields.size()));
    lobster_message_data m;
    std::uint8_t kind = 0;
    int direction = 0;
    if (!read_time(fields[0], m.time_ns))
        return bad(line, "time", fmt::format("'{}' is not a time of day in seconds", fields[0]));
    if (!read(fields[1], kind) || kind < 1 || kind > 7)
        return bad(line, "type", fmt::format("'{}' is not a type from 1 to 7", fields[1]));
    if (!read(fields[2], m.order))
        return bad(line, "order", fmt::format("'{}' is not an order's number", fields[2]));
    if (!read(fields[3], m.size))
        return bad(line, "size", fmt::format("'{}' is not a size", fields[3]));
    if (!read(fields[4], m.price))
        return bad(line, "price", fmt::format("'{}' is not a price", fields[4]));
    if (!read(fields[5], direction) || (direction != 1 && direction != -1))
        return bad(line, "direction", fmt::format("'{}' is neither 1 nor -1", fields[5]));
    m.kind = static_cast<lobster_kind>(kind);
    m.side = direction == 1 ? side::buy : side::sell;
    // The price of a halt is a code: -1, trading stops; 0, quoting resumes; 1, trading resumes.
    if (m.kind != lobster_kind::halt && m.price <= 0)
        return bad(line, "price", "a price is above 0");
    if (m.kind != lobster_kind::halt && m.size == 0)
        return bad(line, "size", "a size is above 0");
    return m;
}

csv_result<published_row> parse_row(std::string_view text, std::size_t line) {
    const std::vector<std::string_view> fields = split(text);
    if (fields.size() % columns_per_level != 0)
        return bad(line, "", fmt::format("a row has 4 fields a level, not {}", fields.size()));
    published_row row{.columns = fields.size(), .asks = {}, .bids = {}};
    for (std::size_t at = 0; at < fields.size(); at += columns_per_level) {
        const std::size_t number = at / columns_per_level + 1;
        auto ask =
            add_level(fields[at], fields[at + 1], side::sell, {line, "ask", number}, row.asks);
        if (!ask)
            return std::unexpected(std::move(ask.error()));
        auto bid =
            add_level(fields[at + 2], fields[at + 3], side::buy, {line, "bid", number}, row.bids);
        if (!bid)
            return std::unexpected(std::move(bid.error()));
    }
    return row;
}

}  // namespace exchange
