#include "head_slots.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace pawl::detail {

head_slots::head_slots(head_slots&& other) noexcept {
    *this = std::move(other);
}

head_slots& head_slots::operator=(head_slots&& other) noexcept {
    if (this != &other) {
        if (anonymous_bytes_ != 0)
            ::munmap(table_, anonymous_bytes_);
        table_ = std::exchange(other.table_, nullptr);
        slots_ = std::exchange(other.slots_, 0);
        used_ = std::exchange(other.used_, 0);
        anonymous_bytes_ = std::exchange(other.anonymous_bytes_, 0);
        file_ = std::move(other.file_);
    }
    return *this;
}

head_slots::~head_slots() {
    if (anonymous_bytes_ != 0)
        ::munmap(table_, anonymous_bytes_);
}

result<head_slots> head_slots::make(std::uint64_t slots) {
    constexpr std::uint64_t fewest = 64;
    slots = std::max(slots, fewest);
    const std::size_t bytes = static_cast<std::size_t>(slots) * sizeof(stream_head);
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED) {
        return std::unexpected(system_error(errno, {}, "no memory for the table of streams"));
    }
    touch_pages(static_cast<const std::byte*>(memory), bytes);
    head_slots made;
    made.table_ = static_cast<stream_head*>(memory);
    made.slots_ = slots;
    made.anonymous_bytes_ = bytes;
    return made;
}

head_slots head_slots::over(mapping file, std::uint64_t slots, std::uint64_t used) noexcept {
    head_slots made;
    made.table_ = reinterpret_cast<stream_head*>(file.data() + heads_entries_offset);
    made.slots_ = slots;
    made.used_ = used;
    made.file_ = std::move(file);
    return made;
}

result<head_slots> head_slots::grown() const {
    auto larger = make(slots_ * 2);
    if (!larger)
        return larger;
    for (const stream_head& head : all()) {
        if (head.stream != no_stream_id)
            *larger->find_or_insert(head.stream) = head;
    }
    return larger;
}

}  // namespace pawl::detail
