#include "terminal/rows.hpp"

#include "terminal/json_text.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace pawl::cli {

namespace {

std::string number_text(double value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return {text.data(), end};
}

// A cell for people and for CSV.
struct as_text {
    std::string operator()(std::monostate) const { return {}; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const { return number_text(value); }
    std::string operator()(std::string_view value) const { return std::string{value}; }
    std::string operator()(raw_json value) const { return std::string{value.text}; }
};

struct as_json {
    std::string& to;
    void operator()(std::monostate) const { to += "null"; }
    void operator()(std::int64_t value) const { to += std::to_string(value); }
    void operator()(double value) const {
        if (std::isfinite(value))
            to += number_text(value);
        else
            append_json_string(to, std::isnan(value) ? "NaN"
                                   : value > 0       ? "Infinity"
                                                     : "-Infinity");
    }
    void operator()(std::string_view value) const { append_json_string(to, value); }
    void operator()(raw_json value) const { to += value.text; }
};

// The characters of a text, not its bytes.
std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// A line break in a cell would look like a row.
std::string on_one_line(std::string text) {
    std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
    return text;
}

constexpr std::size_t rows_to_align = 1000;

}  // namespace

row_writer::row_writer(row_format format, std::vector<std::string> columns)
    : format_{format}, columns_{std::move(columns)} {
    if (format_ == row_format::csv)
        (void)put_csv(columns_);
    for (const std::string& name : columns_)
        widths_.push_back(width_of(name));
}

bool row_writer::put(const std::vector<cell>& cells) {
    if (format_ == row_format::json)
        return put_json(cells);
    row texts;
    for (const cell& each : cells)
        texts.push_back(std::visit(as_text{}, each));
    if (format_ == row_format::csv)
        return put_csv(texts);
    for (std::string& text : texts)
        text = on_one_line(std::move(text));
    if (aligned_)
        return put_table(texts);
    for (std::size_t i = 0; i < texts.size(); ++i)
        widths_[i] = std::max(widths_[i], width_of(texts[i]));
    held_.push_back(std::move(texts));
    return held_.size() < rows_to_align || finish();
}

bool row_writer::finish() {
    if (format_ != row_format::table || std::exchange(aligned_, true))
        return true;
    row rule;
    for (const std::size_t width : widths_)
        rule.emplace_back(width, '-');
    bool whole = put_table(columns_) && put_table(rule);
    for (const row& texts : std::exchange(held_, {}))
        whole = whole && put_table(texts);
    return whole;
}

bool row_writer::put_json(const std::vector<cell>& cells) {
    line_.clear();
    line_ += '{';
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i != 0)
            line_ += ',';
        append_json_string(line_, columns_[i]);
        line_ += ':';
        std::visit(as_json{line_}, cells[i]);
    }
    line_ += "}\n";
    return cli::put(line_);
}

// RFC 4180, except for line ends: a cell with a separator is in quotes, and quotes in it are
// doubled.
bool row_writer::put_csv(const row& texts) {
    line_.clear();
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (i != 0)
            line_ += ',';
        if (texts[i].find_first_of(",\"\r\n") == std::string::npos) {
            line_ += texts[i];
            continue;
        }
        line_ += '"';
        for (const char c : texts[i])
            line_.append(c == '"' ? 2 : 1, c);
        line_ += '"';
    }
    line_ += '\n';
    return cli::put(line_);
}

bool row_writer::put_table(const row& texts) {
    line_.clear();
    for (std::size_t i = 0; i < texts.size(); ++i) {
        line_ += texts[i];
        const std::size_t width = width_of(texts[i]);
        if (i + 1 != texts.size())
            line_.append(widths_[i] > width ? widths_[i] - width + 2 : 2, ' ');
    }
    line_ += '\n';
    return cli::put(line_);
}

}  // namespace pawl::cli
