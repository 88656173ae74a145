// Compares the book after each LOBSTER message of a journal with the published one.
#pragma once

#include "lobster_book.hpp"

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

namespace exchange {

// Reads one published row per message. Starts from the book of row 1, which message 1 led to, and
// compares each later row.
class lobster_check {
  public:
    // Reads `rows` from its current position; it must outlive the check.
    explicit lobster_check(std::istream& rows) : rows_{rows} {}

    // Fails if the rows end before the messages, or are malformed.
    [[nodiscard]] csv_result<void> take(const lobster_message& m);
    // Fails if there are more rows than messages.
    [[nodiscard]] csv_result<void> finish();

    [[nodiscard]] std::size_t compared() const noexcept { return compared_; }
    [[nodiscard]] std::size_t mismatched() const noexcept { return mismatched_; }
    // Describes the first few rows that differ: "line 17, ask at 5853300: kept 18, published 20".
    [[nodiscard]] const std::vector<std::string>& examples() const noexcept { return examples_; }

  private:
    static constexpr std::size_t most_examples = 10;

    std::istream& rows_;
    std::size_t line_ = 0;
    std::size_t columns_ = 0;  // of every row
    lobster_book book_;
    std::size_t compared_ = 0;
    std::size_t mismatched_ = 0;
    std::vector<std::string> examples_;
};

}  // namespace exchange
