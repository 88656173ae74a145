// A payload that nothing is known about: every read is checked against its bounds and for the
// alignment that FlatBuffers gives it.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace pawl::detail {

class payload_reader {
  public:
    explicit payload_reader(std::span<const std::byte> bytes) noexcept : bytes_{bytes} {}

    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

    // Whether `count` bytes lie at `at`, which is aligned.
    [[nodiscard]] bool holds(std::size_t at, std::size_t count, std::size_t align) const noexcept {
        return at % align == 0 && at <= bytes_.size() && count <= bytes_.size() - at;
    }

    // What lies at a place that holds() has passed.
    template <class Integer>
    [[nodiscard]] Integer get(std::size_t at) const noexcept {
        assert(at <= bytes_.size() && sizeof(Integer) <= bytes_.size() - at);
        Integer value;
        std::memcpy(&value, bytes_.data() + at, sizeof value);
        return value;
    }
    [[nodiscard]] std::span<const std::byte> get(std::size_t at, std::size_t count) const noexcept {
        return bytes_.subspan(at, count);
    }

    // Where the offset at `at` points to; nullopt if that is nowhere.
    [[nodiscard]] std::optional<std::size_t> follow(std::size_t at) const noexcept {
        if (!holds(at, 4, 4))
            return std::nullopt;
        const auto offset = get<std::uint32_t>(at);
        if (offset == 0 || offset > 0x7fffffff || offset >= bytes_.size() - at)
            return std::nullopt;
        return at + offset;
    }

    struct elements {
        std::size_t at;
        std::uint32_t count;
    };

    // The elements of a vector that starts at `at`; nullopt if it does not lie in the payload.
    [[nodiscard]] std::optional<elements> vector(std::size_t at, std::uint32_t element_bytes,
                                                 std::uint32_t align) const noexcept {
        if (!holds(at, 4, 4))
            return std::nullopt;
        const auto count = get<std::uint32_t>(at);
        if ((count != 0 && (at + 4) % align != 0) ||
            count > (bytes_.size() - at - 4) / element_bytes)
            return std::nullopt;
        return elements{at + 4, count};
    }

    // The table at `at`, as far as its vtable goes; nullopt if that lies nowhere.
    struct table {
        std::size_t at;
        std::size_t vtable;
        std::uint16_t vtable_bytes;
    };
    [[nodiscard]] std::optional<table> table_at(std::size_t at) const noexcept {
        if (!holds(at, 4, 4))
            return std::nullopt;
        const auto vtable =
            static_cast<std::int64_t>(at) - static_cast<std::int64_t>(get<std::int32_t>(at));
        if (vtable < 0 || !holds(static_cast<std::size_t>(vtable), 4, 2))
            return std::nullopt;
        const auto place = static_cast<std::size_t>(vtable);
        const auto length = get<std::uint16_t>(place);
        if (length < 4 || length % 2 != 0 || !holds(place, length, 2))
            return std::nullopt;
        return table{at, place, length};
    }

    // Where a field of the table lies, 0 if it is absent.
    [[nodiscard]] std::size_t field(const table& of, std::uint16_t vtable_offset) const noexcept {
        if (vtable_offset + 2 > of.vtable_bytes)
            return 0;
        const auto inside = get<std::uint16_t>(of.vtable + vtable_offset);
        return inside == 0 ? 0 : of.at + inside;
    }

  private:
    std::span<const std::byte> bytes_;
};

}  // namespace pawl::detail
