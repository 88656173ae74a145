#include "append/members.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace pawl::cli {

namespace {

class object_splitter {
  public:
    explicit object_splitter(std::string_view text) : text_{text} {}

    result<std::vector<member>> split() {
        std::vector<member> members;
        if (!take('{'))
            return refuse("expected an object");
        if (!take('}')) {
            do {
                auto one = next();
                if (!one)
                    return std::unexpected(std::move(one.error()));
                if (std::ranges::find(members, one->name, &member::name) != members.end())
                    return refuse(fmt::format("a second member \"{}\"", one->name));
                members.push_back(std::move(*one));
            } while (take(','));
            if (!take('}'))
                return refuse("expected , or }");
        }
        skip_space();
        if (at_ != text_.size())
            return refuse("more text after the object");
        return members;
    }

  private:
    std::unexpected<error> refuse(std::string_view why) const {
        return fail(errc::invalid_argument, fmt::format("column {}: {}", at_ + 1, why));
    }
    void skip_space() {
        while (at_ < text_.size() && std::string_view{" \t\r\n"}.contains(text_[at_]))
            ++at_;
    }
    bool take(char token) {
        skip_space();
        if (at_ == text_.size() || text_[at_] != token)
            return false;
        ++at_;
        return true;
    }

    result<member> next() {
        skip_space();
        const std::string_view quoted = string();
        const auto name = nlohmann::json::parse(quoted, nullptr, false);
        if (!name.is_string())
            return refuse("expected the name of a member");
        if (!take(':'))
            return refuse("expected :");
        skip_space();
        const std::size_t begin = at_;
        if (!skip_value())
            return refuse("a value that does not end");
        return member{name.get<std::string>(), text_.substr(begin, at_ - begin), begin + 1};
    }

    // A string with its quotes; empty if none begins here.
    std::string_view string() {
        const std::size_t begin = at_;
        if (at_ == text_.size() || text_[at_] != '"')
            return {};
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_)
            at_ += text_[at_] == '\\' ? 1 : 0;
        if (at_ >= text_.size()) {
            at_ = text_.size();
            return {};
        }
        ++at_;
        return text_.substr(begin, at_ - begin);
    }

    // To the comma or brace that follows it.
    bool skip_value() {
        const std::size_t begin = at_;
        std::size_t depth = 0;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '"') {
                if (string().empty())
                    return false;
                continue;
            }
            if (depth == 0 && (c == ',' || c == '}' || c == ']'))
                break;
            if (c == '{' || c == '[')
                ++depth;
            else if (c == '}' || c == ']')
                --depth;
            ++at_;
        }
        while (at_ > begin && std::string_view{" \t\r"}.contains(text_[at_ - 1]))
            --at_;
        return depth == 0 && at_ != begin;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

result<std::vector<member>> members_of(std::string_view text) {
    return object_splitter{text}.split();
}

}  // namespace pawl::cli
