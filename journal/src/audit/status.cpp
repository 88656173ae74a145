#include "audit/control_state.hpp"
#include "store/control.hpp"
#include "store/directory.hpp"
#include "store/writer_lock.hpp"

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/status.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace pawl {

namespace {

static_assert(std::tuple_size_v<decltype(journal_status::sync_times)> == detail::sync_time_buckets);

void add_statistics(const detail::control_statistics& from, journal_status& to) {
    to.opened_ns = from.opened_ns;
    to.first_sequence = from.first_sequence;
    to.appended_bytes = from.appended_bytes;
    to.rollovers = from.rollovers;
    to.back_pressure = from.back_pressure;
    to.segments_ready = from.segments_ready;
    to.shortage = static_cast<int>(from.shortage);
    to.populated_bytes = from.populated_bytes;
    to.streams = from.streams;
    to.syncs = from.syncs;
    to.sync_ns = from.sync_ns;
    to.longest_sync_ns = from.longest_sync_ns;
    std::ranges::copy(from.sync_times, to.sync_times.begin());
    // The page proves nothing: whatever stands there, the reads stay inside it.
    const auto used = std::min<std::uint64_t>(from.counters_used, detail::most_counters);
    for (std::uint64_t i = 0; i < used; ++i) {
        const detail::control_counter& counter = from.counters[i];
        to.counters.push_back(
            {.name{counter.name, ::strnlen(counter.name, sizeof counter.name)},
             .kind = counter.kind == static_cast<std::uint64_t>(counter_kind::total)
                         ? counter_kind::total
                         : counter_kind::gauge,
             .value = counter.value});
    }
}

}  // namespace

result<journal_status> read_status(const std::filesystem::path& directory) {
    return detail::guarded([&]() -> result<journal_status> {
        const auto journal = detail::read_identity(directory);
        if (!journal)
            return std::unexpected(journal.error());
        journal_status status{.id = detail::id_of(*journal),
                              .segment_bytes = journal->segment_bytes,
                              .owner = {},
                              .counters = {}};
        const auto control = detail::control_view::open(directory, status.id);
        if (!control)
            return std::unexpected(control.error());
        if (const auto held = detail::writer_lock::is_held(directory))
            status.locked = *held;
        status.state = detail::state_of(*control);
        status.owner = control->owner();
        status.heartbeat_ns = control->heartbeat_ns();
        status.os_error = control->os_error();
        status.durable = std::max(control->durable().value_or(0), control->stored_watermark());
        status.published = std::max(control->published(), status.durable);
        add_statistics(control->statistics(), status);
        return status;
    });
}

}  // namespace pawl
