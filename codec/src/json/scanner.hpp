// Splits a JSON text into tokens; accepts RFC 8259 and no extensions.
#pragma once

#include <pawl/journal/error.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pawl::detail {

// Every function returns true on success; on failure `why` and `failed_at` hold the reason and the
// place.
class json_scanner {
  public:
    explicit json_scanner(std::string_view text = {}) noexcept : text_{text} {}

    // Starts on another text and keeps the memory.
    void restart(std::string_view text) noexcept {
        text_ = text;
        at_ = 0;
    }

    // Skips space and returns the first character of the next token; '\0' at the end.
    [[nodiscard]] char peek() noexcept;
    [[nodiscard]] bool at_end() noexcept { return peek() == '\0' && at_ == text_.size(); }
    [[nodiscard]] std::size_t position() const noexcept { return at_; }
    void back_to(std::size_t position) noexcept { at_ = position; }

    // Consumes `token` if it comes next.
    [[nodiscard]] bool take(char token) noexcept;
    [[nodiscard]] bool take_word(std::string_view word) noexcept;
    bool expect(char token);

    // Reads a string, without its quotes and with its escapes resolved; valid until the next
    // string.
    bool string(std::string_view& to);
    // Reads the text of a number and checks its form.
    bool number(std::string_view& to);
    // Skips one value of any kind.
    bool skip_value(std::uint32_t depth = 0);

    bool fail(std::size_t at, std::string reason, errc code = errc::invalid_argument);
    // "line 3, column 14"
    [[nodiscard]] std::string place(std::size_t at) const;

    std::string why{};
    std::size_t failed_at = 0;
    errc code = errc::invalid_argument;

  private:
    void digits() noexcept;
    bool string_with_escapes(std::size_t start, std::string_view& to);
    bool escape();
    bool four_digits(std::uint32_t& to);
    bool skip_members(std::uint32_t depth);
    bool skip_elements(std::uint32_t depth);

    std::string_view text_;
    std::size_t at_ = 0;
    std::string resolved_;
};

}  // namespace pawl::detail
