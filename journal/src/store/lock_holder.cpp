#include "store/lock_holder.hpp"

#include "store/control.hpp"
#include "store/directory.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

namespace pawl::detail {

error name_holder(error refused, const directory_handle& directory) {
    if (refused.code != errc::locked)
        return refused;
    if (auto journal = read_identity(directory)) {
        if (auto control = control_view::open(directory, id_of(*journal))) {
            const std::uint64_t now = system_time_ns();
            const std::uint64_t beat = control->heartbeat_ns();
            const std::uint64_t age_ms = (now - std::min(now, beat)) / 1'000'000;
            refused.detail += (refused.detail.empty() ? "held by " : "; held by ") +
                              control->owner() + ", heartbeat " + std::to_string(age_ms) +
                              " ms ago";
        }
    }
    return refused;
}

}  // namespace pawl::detail
