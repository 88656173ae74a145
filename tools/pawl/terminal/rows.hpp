// Rows of values on standard output: as lines of JSON, as CSV, or as a table for people.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pawl::cli {

enum class row_format : std::uint8_t { json, table, csv };

// A value that is JSON already.
struct raw_json {
    std::string_view text;
};
using cell = std::variant<std::monostate, std::int64_t, double, std::string_view, raw_json>;

class row_writer {
  public:
    row_writer(row_format format, std::vector<std::string> columns);

    // Takes as many cells as there are columns. Returns false once standard output has failed.
    bool put(const std::vector<cell>& cells);
    // Writes what is held back: a table is aligned by its first thousand rows.
    bool finish();

  private:
    using row = std::vector<std::string>;

    bool put_json(const std::vector<cell>& cells);
    bool put_csv(const row& texts);
    bool put_table(const row& texts);

    row_format format_;
    std::vector<std::string> columns_;
    std::vector<std::size_t> widths_;
    std::vector<row> held_;
    bool aligned_ = false;
    std::string line_;
};

}  // namespace pawl::cli
