#include "store/head_slots.hpp"

#include "os/assertion.hpp"
#include "store/probe_gap.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace pawl::detail {

head_slots::head_slots(head_slots&& other) noexcept {
    *this = std::move(other);
}

head_slots& head_slots::operator=(head_slots&& other) noexcept {
    PAWL_ASSERT(this != &other);
    table_ = std::exchange(other.table_, nullptr);
    slots_ = std::exchange(other.slots_, 0);
    used_ = std::exchange(other.used_, 0);
    memory_ = std::move(other.memory_);
    return *this;
}

result<head_slots> head_slots::make(std::uint64_t slots) {
    constexpr std::uint64_t fewest = 64;
    slots = std::max(slots, fewest);
    auto memory = page_memory::make(static_cast<std::size_t>(slots) * sizeof(stream_head));
    if (!memory)
        return std::unexpected(std::move(memory.error()));
    return over(std::move(*memory), slots, 0);
}

head_slots head_slots::at(std::byte* entries, std::uint64_t slots, std::uint64_t used) noexcept {
    PAWL_ASSERT(entries != nullptr && used < slots);
    PAWL_ASSERT(reinterpret_cast<std::uintptr_t>(entries) % alignof(stream_head) == 0);
    head_slots made;
    made.table_ = reinterpret_cast<stream_head*>(entries);
    made.slots_ = slots;
    made.used_ = used;
    return made;
}

head_slots head_slots::over(page_memory entries, std::uint64_t slots, std::uint64_t used) noexcept {
    PAWL_ASSERT(slots <= entries.size() / sizeof(stream_head));
    head_slots made = at(entries.data(), slots, used);
    made.memory_ = std::move(entries);
    return made;
}

void head_slots::erase(stream_id stream) noexcept {
    const stream_head* gone = find(stream);
    if (gone == nullptr)
        return;
    PAWL_ASSERT(used_ != 0);
    const std::uint64_t gap = close_gap(
        static_cast<std::uint64_t>(gone - table_), slots_,
        [this](std::uint64_t slot) { return table_[slot].stream == no_stream_id; },
        [this](std::uint64_t slot) { return home(table_[slot].stream); },
        [this](std::uint64_t from, std::uint64_t to) { table_[to] = table_[from]; });
    table_[gap] = {};
    --used_;
    PAWL_ASSERT(find(stream) == nullptr);
}

result<head_slots> head_slots::copy_with(std::uint64_t slots) const {
    auto larger = make(slots);
    if (!larger)
        return larger;
    for (const stream_head& head : all()) {
        if (head.stream != no_stream_id)
            *larger->find_or_insert(head.stream) = head;
    }
    return larger;
}

stream_head* head_slots::find_or_grow(stream_id stream) {
    if (wants_to_grow()) {
        auto larger = grown();
        if (!larger)
            return nullptr;
        *this = std::move(*larger);
    }
    return find_or_insert(stream);
}

}  // namespace pawl::detail
