#include "row_program.hpp"

#include <fmt/core.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

namespace pawl::test {

namespace {

constexpr std::uint64_t most_failures = 5;

[[noreturn]] void wrong_usage(std::string_view why) {
    fmt::print(stderr,
               "{}\nusage: [--quick | --full] [--seed N] [--count N] [--directory DIR] [--name "
               "N]...\n",
               why);
    std::exit(2);
}

[[nodiscard]] std::uint64_t number(const std::string& name, const std::string& text) {
    std::uint64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
        wrong_usage(name + " takes a number, not '" + text + "'");
    return value;
}

[[nodiscard]] std::string json_text(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            result += '\\';
        if (static_cast<unsigned char>(c) < 0x20) {
            result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            result += c;
        }
    }
    return result + '"';
}

// A file system in memory first: most rows create and remove many small files.
[[nodiscard]] std::filesystem::path usual_parent() {
    const std::filesystem::path memory = "/dev/shm";
    if (::access(memory.c_str(), W_OK | X_OK) == 0)
        return memory;
    return std::filesystem::temp_directory_path();
}

}  // namespace

row_program::row_program(row_description description, int argc, char** argv)
    : description_{std::move(description)}, parent_{usual_parent()} {
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--quick" || name == "--full") {
            mode_ = name == "--quick" ? row_mode::quick : row_mode::full;
            continue;
        }
        if (!name.starts_with("--") || i + 1 == argc)
            wrong_usage("unknown argument '" + name + "'");
        const std::string value = argv[++i];
        if (name == "--seed") {
            seed_ = number(name, value);
        } else if (name == "--count") {
            count_ = number(name, value);
        } else if (name == "--directory") {
            parent_ = value;
        } else {
            others_.emplace_back(name, value);
        }
    }
}

row_program::~row_program() {
    std::error_code ignored;
    if (!directory_.empty())
        std::filesystem::remove_all(directory_, ignored);
}

const std::filesystem::path& row_program::directory() {
    if (directory_.empty()) {
        std::string pattern = parent_ / ("pawl-" + description_.name + "-XXXXXX");
        if (::mkdtemp(pattern.data()) == nullptr)
            wrong_usage("cannot make a directory in " + parent_.string());
        directory_ = pattern;
    }
    return directory_;
}

std::uint64_t row_program::target(const row_targets& targets) {
    target_ = mode_ == row_mode::quick ? targets.quick
              : mode_ == row_mode::ci  ? targets.ci
                                       : targets.full;
    if (count_ != 0)
        target_ = count_;
    return target_;
}

std::uint64_t row_program::option(const std::string& name, std::uint64_t otherwise) {
    asked_.push_back(name);
    for (const auto& [given, value] : others_) {
        if (given == name)
            return number(name, value);
    }
    return otherwise;
}

bool row_program::goes_on() const noexcept {
    return reached_ < target_ && failures_ < most_failures;
}

void row_program::failure(const std::string& repeat, const std::string& what) {
    if (failures_ == 0) {
        repeat_ = repeat;
        detail_ = what;
    }
    ++failures_;
    fmt::print(stderr, "{}: {} (repeat: {})\n", description_.name, what, repeat);
}

void row_program::print() {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin_;
    fmt::print(
        "{{\"row\":{},\"name\":{},\"counted\":{},\"reached\":{},\"target\":{},\"failures\":{},"
        "\"seconds\":{:.3f},\"seed\":{},\"skipped\":{},\"repeat\":{},\"detail\":{}}}\n",
        description_.row, json_text(description_.name), json_text(description_.counted), reached_,
        target_, failures_, took.count(), seed_, json_text(skipped_), json_text(repeat_),
        json_text(detail_));
    std::fflush(stdout);
    part_skipped_ = part_skipped_ || !skipped_.empty();
    red_ = red_ || failures_ != 0 || (skipped_.empty() && reached_ < target_);
}

int row_program::finish() {
    for (const auto& [name, value] : others_) {
        if (std::ranges::find(asked_, name) == asked_.end())
            wrong_usage("unknown argument '" + name + "'");
    }
    print();
    if (red_)
        return 1;
    return part_skipped_ ? exit_skipped : 0;
}

void row_program::next_part(row_description description) {
    print();
    description_ = std::move(description);
    target_ = 0;
    reached_ = 0;
    failures_ = 0;
    repeat_.clear();
    skipped_.clear();
    detail_.clear();
    begin_ = std::chrono::steady_clock::now();
}

}  // namespace pawl::test
