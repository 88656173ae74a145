// The state that the control page names, as the public headers have it.
#pragma once

#include "store/control.hpp"

#include <pawl/journal/journal.hpp>

namespace pawl::detail {

// `unknown` for a number that no version of Pawl stores.
[[nodiscard]] inline journal_state state_of(const control_view& control) noexcept {
    switch (static_cast<control_state>(control.state())) {
        case control_state::closed:
            return journal_state::closed;
        case control_state::open:
            return journal_state::open;
        case control_state::poisoned:
            return journal_state::poisoned;
        case control_state::disk_full:
            return journal_state::disk_full;
    }
    return journal_state::unknown;
}

}  // namespace pawl::detail
