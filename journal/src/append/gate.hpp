// The word that every append looks at first: whether events may be appended, and if not, why.
#pragma once

#include "os/assertion.hpp"

#include <pawl/journal/error.hpp>

#include <atomic>
#include <cstdint>

namespace pawl::detail {

// The state of the gate word, in its low bits. The word lies on the page that a fork wipes.
enum class gate : std::uint32_t {
    forked = 0,
    open = 1,
    poisoned = 2,
    closed = 3,
    // Open, but the background asks the appending thread to write a clock report first. Set only by
    // compare-and-swap from open, and cleared only by compare-and-swap to open; poisoned and closed
    // replace either.
    attend = 5,
};

inline constexpr std::uint32_t gate_state_bits = 4;
inline constexpr std::uint32_t gate_cause_bits = 12;

[[nodiscard]] constexpr std::uint32_t gate_value(gate state) noexcept {
    return static_cast<std::uint32_t>(state);
}
// A poisoned gate names the first failure, so that an append can say why without a lock.
[[nodiscard]] constexpr std::uint32_t poisoned_gate(errc cause, int os_error) noexcept {
    PAWL_ASSERT(os_error >= 0 && os_error >> (32 - gate_state_bits - gate_cause_bits) == 0);
    return gate_value(gate::poisoned) | static_cast<std::uint32_t>(cause) << gate_state_bits |
           static_cast<std::uint32_t>(os_error) << (gate_state_bits + gate_cause_bits);
}
// Whether events may be appended: open or attend, which differ in one bit.
[[nodiscard]] constexpr bool is_open(std::uint32_t word) noexcept {
    constexpr auto differing =
        static_cast<std::uint32_t>(gate::open) ^ static_cast<std::uint32_t>(gate::attend);
    static_assert(differing == 4);
    return (word & ~differing) == gate_value(gate::open);
}
// Closes an open gate for good; false if it was not open.
inline bool end_gate(std::atomic<std::uint32_t>& word, std::uint32_t with) noexcept {
    PAWL_ASSERT(!is_open(with));
    std::uint32_t now = word.load(std::memory_order_relaxed);
    while (is_open(now)) {
        if (word.compare_exchange_weak(now, with))
            return true;
    }
    return false;
}
[[nodiscard]] constexpr gate gate_of(std::uint32_t word) noexcept {
    return static_cast<gate>(word & ((1U << gate_state_bits) - 1));
}
// Why an operation is refused while the gate has this value.
[[nodiscard]] inline error refusal(std::uint32_t word) noexcept {
    constexpr std::uint32_t cause_mask = (1U << gate_cause_bits) - 1;
    switch (gate_of(word)) {
        case gate::forked:
            return {.code = errc::forked,
                    .reason = "this process is a fork of the one that opened the writer"};
        case gate::poisoned:
            return {.code = errc::poisoned,
                    .cause = static_cast<errc>(word >> gate_state_bits & cause_mask),
                    .os_error = static_cast<int>(word >> (gate_state_bits + gate_cause_bits)),
                    .reason = "see writer::failure(); opening the journal again recovers it"};
        case gate::closed:
            return {.code = errc::closed, .reason = "the writer has been closed"};
        case gate::open:
        case gate::attend:
            break;
    }
    return {.code = errc::busy, .reason = "a reservation or batch is still open"};
}

}  // namespace pawl::detail
