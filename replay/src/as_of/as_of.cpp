#include "follow/log_places.hpp"

#include <pawl/replay/as_of.hpp>

#include <limits>
#include <utility>

namespace pawl::detail {

namespace {

struct start_of {
    start operator()(at_sequence at) const { return from_sequence{at.sequence}; }
    start operator()(at_time at) const {
        if (at.ns == std::numeric_limits<std::uint64_t>::max())
            return from_end{};
        return from_time{at.ns + 1};
    }
    start operator()(const at_point& at) const { return from_point{at.point, at.taken_in}; }
};

}  // namespace

result<log_point> find_as_of(const std::filesystem::path& directory, const as_of_place& place,
                             const restore_options& options) {
    auto found = find_position({.directory = directory,
                                .from = std::visit(start_of{}, place),
                                .show = options.show,
                                .allow_network_file_system = options.allow_network_file_system});
    if (!found)
        return std::unexpected(std::move(found.error()));
    return found->point;
}

}  // namespace pawl::detail
