// The commands whose ids the writer remembers: the newest ones, each with the events it led to.
#pragma once

#include "os/assertion.hpp"
#include "os/page_memory.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstddef>
#include <cstdint>

namespace pawl::detail {

struct remembered_command {
    message_id id{};
    std::uint64_t hash = 0;  // of the command's bytes
    sequence_number first = 0;
    std::uint64_t place = 0;  // of its first event, packed like a stream head's
    std::uint32_t events = 0;
    std::uint32_t fingerprint = 0;  // where the table has it
};
static_assert(sizeof(remembered_command) == 48);

// Records in a ring, in the order of the log, and a table that finds them by id. A new command is
// staged first, and kept once its events are published; keeping one forgets the oldest. A lookup
// takes one random access to memory and a sequential one, and so does keeping.
class command_window {
  public:
    command_window() noexcept = default;  // remembers nothing

    // Remembers the newest `most` commands. `seed` is a number that no sender of commands can
    // guess: without it, chosen ids could make lookups slow. Takes address space; the memory
    // becomes present as it is used.
    [[nodiscard]] static result<command_window> make(std::uint32_t most, std::uint64_t seed);

    [[nodiscard]] bool enabled() const noexcept { return most_ != 0; }
    [[nodiscard]] std::uint64_t remembered() const noexcept { return kept_; }

    // Null where the id is not remembered. Finds staged commands too.
    [[nodiscard]] const remembered_command* find(const message_id& id) const noexcept;
    [[nodiscard]] bool is_staged(const remembered_command& command) const noexcept;
    // The command staged last; null if none is.
    [[nodiscard]] const remembered_command* newest_staged() const noexcept {
        return staged_ == 0 ? nullptr : &ring()[at(kept_ + staged_ - 1)];
    }

    // Whether so many commands can be staged at once. One always can.
    [[nodiscard]] bool has_room(std::uint32_t staged) const noexcept {
        return !enabled() || std::uint64_t{most_} + staged <= room_;
    }
    // Makes that room. Where it has to allocate, it may fail with out_of_memory; the window is then
    // unchanged.
    [[nodiscard]] result<void> make_room(std::uint32_t staged);
    // Stages a command whose first event is this one. There must be room.
    void stage(const command_reference& command, sequence_number first,
               std::uint64_t place) noexcept;
    // One more event of the command staged last.
    void extend() noexcept { ++ring()[at(kept_ + staged_ - 1)].events; }
    void keep() noexcept {
        if (staged_ != 0)
            keep_staged();
    }
    void drop() noexcept;
    // A whole command, as an index lists it.
    void restore(const command_reference& command, sequence_number first, std::uint64_t place,
                 std::uint32_t events) noexcept;

  private:
    // A slot of the table: the fingerprint, then the record's number in the ring plus 1; or 0.
    [[nodiscard]] remembered_command* ring() const noexcept {
        return reinterpret_cast<remembered_command*>(ring_memory_.data());
    }
    [[nodiscard]] std::uint64_t* table() const noexcept {
        return reinterpret_cast<std::uint64_t*>(table_memory_.data());
    }
    // The ring's number of the nth record, counted from the oldest.
    [[nodiscard]] std::uint32_t at(std::uint64_t nth) const noexcept {
        PAWL_ASSERT(nth < room_);
        const std::uint64_t number = oldest_ + nth;
        return static_cast<std::uint32_t>(number >= room_ ? number - room_ : number);
    }
    [[nodiscard]] std::uint32_t fingerprint_of(const message_id& id) const noexcept;
    [[nodiscard]] std::uint64_t home(std::uint32_t fingerprint) const noexcept {
        return std::uint64_t{fingerprint} * slots_ >> 32;
    }
    [[nodiscard]] std::uint64_t next_slot(std::uint64_t slot) const noexcept {
        return slot + 1 == slots_ ? 0 : slot + 1;
    }
    // The slot that holds this id, or the free one where the search ended.
    [[nodiscard]] std::uint64_t slot_of(const message_id& id,
                                        std::uint32_t fingerprint) const noexcept;
    void keep_staged() noexcept;
    void erase(std::uint32_t number) noexcept;
    void forget_oldest() noexcept;

    page_memory ring_memory_;
    page_memory table_memory_;
    std::uint64_t seed_ = 0;
    std::uint64_t slots_ = 0;
    std::uint32_t most_ = 0;
    std::uint32_t room_ = 0;    // records in the ring
    std::uint32_t oldest_ = 0;  // its number in the ring
    std::uint32_t kept_ = 0;
    std::uint32_t staged_ = 0;
};

}  // namespace pawl::detail
