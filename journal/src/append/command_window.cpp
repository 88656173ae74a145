#include "append/command_window.hpp"

#include "format/hash.hpp"
#include "os/assertion.hpp"
#include "store/probe_gap.hpp"

#include <utility>

namespace pawl::detail {

namespace {

constexpr std::uint32_t usual_batch = 4096;
constexpr std::uint64_t slots_a_record = 2;

[[nodiscard]] constexpr std::uint64_t slot_value(std::uint32_t fingerprint,
                                                 std::uint32_t number) noexcept {
    return std::uint64_t{fingerprint} << 32 | (std::uint64_t{number} + 1);
}
[[nodiscard]] constexpr std::uint32_t fingerprint_in(std::uint64_t slot) noexcept {
    return static_cast<std::uint32_t>(slot >> 32);
}
[[nodiscard]] constexpr std::uint32_t number_in(std::uint64_t slot) noexcept {
    return static_cast<std::uint32_t>(slot) - 1;
}

}  // namespace

result<command_window> command_window::make(std::uint32_t most, std::uint64_t seed) {
    command_window made;
    made.seed_ = seed;
    if (most == 0)
        return made;
    made.most_ = most;
    if (auto room = made.make_room(usual_batch); !room)
        return std::unexpected(std::move(room.error()));
    return made;
}

result<void> command_window::make_room(std::uint32_t staged) {
    PAWL_ASSERT(staged_ == 0);
    if (has_room(staged))
        return {};
    const std::uint64_t wanted = std::uint64_t{most_} + staged;
    auto ring_memory =
        page_memory::reserve(static_cast<std::size_t>(wanted) * sizeof(remembered_command));
    if (!ring_memory)
        return std::unexpected(std::move(ring_memory.error()));
    const std::uint64_t slots = wanted * slots_a_record;
    auto table_memory =
        page_memory::reserve(static_cast<std::size_t>(slots) * sizeof(std::uint64_t));
    if (!table_memory)
        return std::unexpected(std::move(table_memory.error()));
    command_window larger;
    larger.ring_memory_ = std::move(*ring_memory);
    larger.table_memory_ = std::move(*table_memory);
    larger.seed_ = seed_;
    larger.slots_ = slots;
    larger.most_ = most_;
    larger.room_ = static_cast<std::uint32_t>(wanted);
    for (std::uint32_t nth = 0; nth < kept_; ++nth) {
        const remembered_command& known = ring()[at(nth)];
        larger.restore({known.id, known.hash}, known.first, known.place, known.events);
    }
    *this = std::move(larger);
    return {};
}

std::uint32_t command_window::fingerprint_of(const message_id& id) const noexcept {
    return fingerprint_in(hash_bytes(id.data(), id.size(), seed_));
}

std::uint64_t command_window::slot_of(const message_id& id,
                                      std::uint32_t fingerprint) const noexcept {
    PAWL_ASSERT(slots_ != 0);
    std::uint64_t slot = home(fingerprint);
    for (;; slot = next_slot(slot)) {
        const std::uint64_t there = table()[slot];
        if (there == 0)
            return slot;
        if (fingerprint_in(there) == fingerprint && ring()[number_in(there)].id == id)
            return slot;
    }
}

const remembered_command* command_window::find(const message_id& id) const noexcept {
    if (kept_ + staged_ == 0)
        return nullptr;
    const std::uint64_t there = table()[slot_of(id, fingerprint_of(id))];
    return there == 0 ? nullptr : &ring()[number_in(there)];
}

bool command_window::is_staged(const remembered_command& command) const noexcept {
    const auto number = static_cast<std::uint64_t>(&command - ring());
    PAWL_ASSERT(number < room_);
    const std::uint64_t nth = number >= oldest_ ? number - oldest_ : number + room_ - oldest_;
    return nth >= kept_;
}

// The newest of two commands with one id counts: a copy may hold both, and so may the log, if one
// is older than what the window of its time remembered.
void command_window::stage(const command_reference& command, sequence_number first,
                           std::uint64_t place) noexcept {
    PAWL_ASSERT(enabled());
    PAWL_ASSERT(kept_ + staged_ < room_);
    const std::uint32_t number = at(std::uint64_t{kept_} + staged_);
    const std::uint32_t fingerprint = fingerprint_of(command.id);
    ring()[number] = {.id = command.id,
                      .hash = command.hash,
                      .first = first,
                      .place = place,
                      .events = 1,
                      .fingerprint = fingerprint};
    table()[slot_of(command.id, fingerprint)] = slot_value(fingerprint, number);
    ++staged_;
}

void command_window::keep_staged() noexcept {
    kept_ += staged_;
    staged_ = 0;
    while (kept_ > most_)
        forget_oldest();
}

void command_window::drop() noexcept {
    while (staged_ != 0) {
        erase(at(std::uint64_t{kept_} + staged_ - 1));
        --staged_;
    }
}

void command_window::restore(const command_reference& command, sequence_number first,
                             std::uint64_t place, std::uint32_t events) noexcept {
    stage(command, first, place);
    ring()[at(kept_)].events = events;
    keep();
}

void command_window::forget_oldest() noexcept {
    PAWL_ASSERT(kept_ != 0);
    erase(oldest_);
    oldest_ = at(1);
    --kept_;
    // The next to go is known: its slot can be on the way before it is needed.
    if (kept_ == most_)
        __builtin_prefetch(&table()[home(ring()[oldest_].fingerprint)], 1);
}

// Takes a record out of the table, unless its id has a newer one.
void command_window::erase(std::uint32_t number) noexcept {
    PAWL_ASSERT(number < room_);
    const std::uint64_t mine = slot_value(ring()[number].fingerprint, number);
    std::uint64_t gap = home(ring()[number].fingerprint);
    for (; table()[gap] != mine; gap = next_slot(gap)) {
        if (table()[gap] == 0)
            return;
    }
    gap = close_gap(
        gap, slots_, [this](std::uint64_t slot) { return table()[slot] == 0; },
        [this](std::uint64_t slot) { return home(fingerprint_in(table()[slot])); },
        [this](std::uint64_t from, std::uint64_t to) { table()[to] = table()[from]; });
    table()[gap] = 0;
}

}  // namespace pawl::detail
