// Reads an untrusted payload: every read is checked against the bounds and for the alignment that
// FlatBuffers requires.
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

    // True if the `count` bytes at `at` are in the payload, and `at` is aligned.
    [[nodiscard]] bool holds(std::size_t at, std::size_t count, std::size_t align) const noexcept {
        return at % align == 0 && at <= bytes_.size() && count <= bytes_.size() - at;
    }

    // Reads the value at a place that holds() has accepted.
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

    // The number of `count` bytes (1, 2, 4 or 8) at a place that holds() has accepted, with zeros
    // above it.
    [[nodiscard]] std::uint64_t bits(std::size_t at, std::size_t count) const noexcept {
        switch (count) {
            case 1:
                return get<std::uint8_t>(at);
            case 2:
                return get<std::uint16_t>(at);
            case 4:
                return get<std::uint32_t>(at);
            default:
                return get<std::uint64_t>(at);
        }
    }

    // Returns the target of the offset at `at`; nullopt if it is outside the payload.
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

    // Returns the elements of the vector at `at`; nullopt if it is not entirely in the payload.
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

    // The table at `at`, bounded by its vtable; nullopt if the vtable is outside the payload.
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

    // Returns the offset of a field of the table, 0 if it is absent.
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
