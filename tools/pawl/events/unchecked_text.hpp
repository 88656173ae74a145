// Text into memory that the caller has made large enough, without a check for each piece.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

namespace pawl::cli {

// Text of at most `Room` bytes.
template <std::size_t Room>
struct short_text {
    std::array<char, Room> bytes{};
    std::size_t size = 0;
};

class unchecked_text {
  public:
    // The most characters that a number takes.
    static constexpr std::size_t number_length = std::numeric_limits<std::uint64_t>::digits10 + 1;

    explicit unchecked_text(char* to) noexcept : at_{to} {}

    void add(std::string_view text) noexcept {
        std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
    }
    // A short text from memory of `Room` bytes, which are copied all: cheaper than to ask how many.
    template <std::size_t Room>
    void add(const short_text<Room>& text) noexcept {
        std::memcpy(at_, text.bytes.data(), Room);
        at_ += text.size;
    }
    // Most versions and numbers of streams are small.
    void add(std::uint64_t number) noexcept {
        if (number >= 10'000) {
            at_ = std::to_chars(at_, at_ + number_length, number).ptr;
            return;
        }
        const auto small = static_cast<std::uint32_t>(number);
        if (small >= 1000)
            *at_++ = static_cast<char>('0' + small / 1000);
        if (small >= 100)
            *at_++ = static_cast<char>('0' + small / 100 % 10);
        if (small >= 10)
            *at_++ = static_cast<char>('0' + small / 10 % 10);
        *at_++ = static_cast<char>('0' + small % 10);
    }
    // The nine decimals of a fraction. The digits are found in two independent groups, which is
    // faster than one after the other.
    void add_nanoseconds(std::uint32_t nanoseconds) noexcept {
        const std::uint32_t high = nanoseconds / 10'000;  // five digits
        const std::uint32_t low = nanoseconds % 10'000;
        *at_ = static_cast<char>('0' + high / 10'000);
        add_two_digits(at_ + 1, high / 100 % 100);
        add_two_digits(at_ + 3, high % 100);
        add_two_digits(at_ + 5, low / 100);
        add_two_digits(at_ + 7, low % 100);
        at_ += 9;
    }

    [[nodiscard]] char* end() const noexcept { return at_; }

  private:
    static void add_two_digits(char* to, std::uint32_t number) noexcept {
        std::memcpy(to, &two_digits[std::size_t{2} * number], 2);
    }
    static constexpr auto two_digits = [] {
        std::array<char, 200> digits{};
        for (std::size_t i = 0; i < 100; ++i) {
            digits[2 * i] = static_cast<char>('0' + i / 10);
            digits[2 * i + 1] = static_cast<char>('0' + i % 10);
        }
        return digits;
    }();

    char* at_;
};

}  // namespace pawl::cli
