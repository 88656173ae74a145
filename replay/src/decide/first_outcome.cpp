#include <pawl/replay/detail/first_outcome.hpp>

#include <algorithm>

namespace pawl::detail {

result<std::optional<earlier_events>> find_earlier(const writer& log,
                                                   const command_reference& command) {
    const auto known = log.find_command(command.id);
    if (!known)
        return std::nullopt;
    if (known->command.hash != command.hash) {
        return std::unexpected(error{.code = errc::command_id_reused,
                                     .sequence = known->first,
                                     .reason = "another command with this id took effect before"});
    }
    earlier_events found;
    const auto read = log.read_command(command.id, [&](const event& e) {
        const receipt placed{e.sequence(), e.version(), e.position()};
        if (e.type() == static_cast<std::uint16_t>(reserved_type::handled)) {
            const auto outcome = e.payload();
            found.outcome_bytes = std::min(outcome.size(), found.outcome.size());
            std::ranges::copy(outcome.first(found.outcome_bytes), found.outcome.begin());
            return;
        }
        if (found.events++ == 0)
            found.first = placed;
        found.last = placed;
    });
    if (!read)
        return std::unexpected(read.error());
    return found;
}

}  // namespace pawl::detail
