#include "backup/log_tail.hpp"

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/frame.hpp>
#include <pawl/replay/log_digest.hpp>

namespace pawl::cli {

result<log_tail> read_tail(const std::filesystem::path& directory, sequence_number first,
                           bool only_durable) {
    auto events = cursor::open(
        directory, {.from = from_sequence{first},
                    .show = only_durable ? visibility::durable : visibility::published});
    if (!events)
        return std::unexpected(std::move(events.error()));
    log_tail found{.next_sequence = first};
    log_digest digest;
    while (const event* e = events->next()) {
        const std::uint64_t frame =
            detail::frame_header_bytes + e->metadata().bytes().size() + e->payload().size();
        found.ends[e->position().ordinal] = e->position().offset + detail::padded(frame);
        found.next_sequence = e->sequence() + 1;
        digest.add(*e);
    }
    if (const auto end = events->finish(); !end)
        return std::unexpected(end.error());
    found.digest = digest.value();
    return found;
}

}  // namespace pawl::cli
