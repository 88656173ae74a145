// Memory for a FlatBufferBuilder: the reservation first, the heap if that is too small.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace pawl::detail {

class reservation_allocator final : public flatbuffers::Allocator {
  public:
    explicit reservation_allocator(std::span<std::byte> room) noexcept : room_{room} {}

    // The size of the builder's first allocation: the whole reservation, rounded down to the
    // builder's units. A builder cannot start with 0 bytes.
    [[nodiscard]] std::size_t initial_bytes() const noexcept {
        return room_.size() < 8 ? 8 : room_.size() & ~std::size_t{7};
    }

    std::uint8_t* allocate(std::size_t bytes) override {
        if (!lent_ && bytes <= room_.size()) {
            lent_ = true;
            return front();
        }
        return new std::uint8_t[bytes];
    }
    void deallocate(std::uint8_t* memory, std::size_t) override {
        if (memory == front() && lent_)
            lent_ = false;
        else
            delete[] memory;
    }

    void move_to_front(std::span<const std::byte> payload) noexcept {
        std::memmove(room_.data(), payload.data(), payload.size());
    }

  private:
    [[nodiscard]] std::uint8_t* front() const noexcept {
        return reinterpret_cast<std::uint8_t*>(room_.data());
    }

    std::span<std::byte> room_;
    bool lent_ = false;
};

}  // namespace pawl::detail
