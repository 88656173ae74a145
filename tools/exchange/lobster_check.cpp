#include "lobster_check.hpp"

#include <fmt/core.h>

#include <istream>

namespace exchange {

csv_result<void> lobster_check::take(const lobster_message& m) {
    std::string text;
    ++line_;
    if (!std::getline(rows_, text))
        return std::unexpected(csv_error{line_, "", "the rows end before the messages"});
    const auto row = parse_row(text, line_);
    if (!row)
        return std::unexpected(row.error());
    if (line_ == 1) {
        columns_ = row->columns;
        book_.open(*row);
        return {};
    }
    if (row->columns != columns_)
        return std::unexpected(csv_error{line_, "", "another number of fields than in line 1"});
    book_.apply(m);
    const std::vector<level_mismatch> mismatches = book_.compare(*row);
    ++compared_;
    mismatched_ += mismatches.empty() ? 0 : 1;
    if (!mismatches.empty() && examples_.size() < most_examples)
        examples_.push_back(fmt::format("line {}, {}", line_, mismatches.front().message()));
    return {};
}

csv_result<void> lobster_check::finish() {
    std::string text;
    if (std::getline(rows_, text) && !text.empty())
        return std::unexpected(csv_error{line_ + 1, "", "there are more rows than messages"});
    return {};
}

}  // namespace exchange
