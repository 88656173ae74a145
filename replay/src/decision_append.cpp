#include <pawl/replay/decision.hpp>

#include <cstdint>
#include <utility>

namespace pawl {

result<receipt> decision::append_to(writer& log) const noexcept {
    if (events_.size() == 1)
        return log.append(header(0), payload(0).bytes);
    std::size_t bytes = 0;
    for (const entry& each : events_)
        bytes += each.bytes;
    auto together = log.begin_batch(static_cast<std::uint32_t>(events_.size()), bytes);
    if (!together)
        return std::unexpected(std::move(together.error()));
    for (std::size_t i = 0; i < events_.size(); ++i)
        if (auto added = together->append(header(i), payload(i).bytes); !added)
            return std::unexpected(std::move(added.error()));
    return together->commit();
}

}  // namespace pawl
