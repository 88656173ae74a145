// Taking an entry out of a table with linear probing.
#pragma once

#include "os/assertion.hpp"

#include <cstdint>

namespace pawl::detail {

// A search begins at an entry's home slot and ends at the first free one, so the entries after a
// gap move up: each that could lie in the gap does, and leaves the next gap. Calls move(from, to)
// for each, and returns the slot that must be free in the end. One slot must be free already.
template <class IsFree, class Home, class Move>
[[nodiscard]] std::uint64_t close_gap(std::uint64_t gap, std::uint64_t slots, IsFree is_free,
                                      Home home, Move move) noexcept {
    PAWL_ASSERT(gap < slots);
    const auto next = [slots](std::uint64_t slot) { return slot + 1 == slots ? 0 : slot + 1; };
    const auto distance = [slots](std::uint64_t from, std::uint64_t to) {
        return to >= from ? to - from : to + slots - from;
    };
    for (std::uint64_t at = next(gap); !is_free(at); at = next(at)) {
        if (distance(home(at), at) < distance(gap, at))
            continue;
        move(at, gap);
        gap = at;
    }
    return gap;
}

}  // namespace pawl::detail
