// Reads NASDAQ order messages and the resulting books from the two CSV files of the LOBSTER project
// (lobsterdata.com). The message in line n of one file led to the book in line n of the other.
#pragma once

#include "events.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace exchange {

// An error in a file; lines count from 1.
struct csv_error {
    std::size_t line = 0;
    std::string field;   // "price", "ask size 3", or empty where it is the whole line
    std::string detail;  // one sentence for a person

    // "line 17, price: '58x' is not a number"
    [[nodiscard]] std::string message() const;
};

template <class T>
using csv_result = std::expected<T, csv_error>;

inline constexpr std::size_t columns_per_level = 4;

struct published_level {
    std::int64_t price = 0;
    std::uint32_t size = 0;
};

// The visible part of a book, best level first. A side can have fewer levels than the file has
// columns for, but no level of size 0 and none out of order.
struct published_row {
    std::size_t columns = 0;
    std::vector<published_level> asks;
    std::vector<published_level> bids;
};

// seconds.fraction,type,order,size,price,direction
[[nodiscard]] csv_result<lobster_message_data> parse_message(std::string_view text,
                                                             std::size_t line);

// ask price,ask size,bid price,bid size, for every level; ±9999999999 with size 0 means no level.
[[nodiscard]] csv_result<published_row> parse_row(std::string_view text, std::size_t line);

}  // namespace exchange
