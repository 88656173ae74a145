#include <pawl/replay/restore.hpp>

#include <algorithm>
#include <new>
#include <string>

namespace pawl {

namespace {

bool contains(const std::vector<rejected_snapshot>& rejected, const std::filesystem::path& path) {
    return std::ranges::find(rejected, path, &rejected_snapshot::path) != rejected.end();
}

// True if failing to find a log point means that its snapshot does not fit, and not that the log is
// bad.
bool is_misfit(errc code) noexcept {
    return code == errc::diverged || code == errc::not_found || code == errc::rewound ||
           code == errc::pruned;
}

std::string at(const log_point& point) {
    return "the snapshot at " + std::to_string(point.next);
}

std::string message_of(const restore_report& report) {
    std::string text =
        report.used ? "restored from " + at(report.used->point) : "replayed from event 0";
    text += ", " + std::to_string(report.tail_events) +
            (report.tail_events == 1 ? " event" : " events");
    text += report.used ? " behind it" : " in all";
    for (const rejected_snapshot& each : report.rejected)
        text += "; passed over " + each.path.filename().string() + ": " + each.why.message();
    return text;
}

}  // namespace

std::string restore_report::message() const noexcept {
    try {
        return message_of(*this);
    } catch (const std::bad_alloc&) {
        return "out of memory";  // short enough to need none
    }
}

namespace detail {

result<restore_start> find_restore_start(const std::filesystem::path& directory,
                                         std::uint32_t state_version,
                                         const restore_options& options,
                                         std::vector<rejected_snapshot>& rejected) {
    const cursor_options reading{.show = options.show,
                                 .allow_network_file_system = options.allow_network_file_system};
    const auto from_event_0 = [&]() -> result<restore_start> {
        auto whole = open_at_beginning(directory, reading);
        if (!whole)
            return std::unexpected(std::move(whole.error()));
        return restore_start{std::move(*whole), std::nullopt};
    };
    if (!options.use_snapshots)
        return from_event_0();

    auto first = cursor::open(directory, reading);
    if (!first)
        return std::unexpected(std::move(first.error()));
    auto store =
        snapshot_store::open(directory, first->identity(), state_version, options.snapshots);
    if (!store)
        return std::unexpected(std::move(store.error()));
    auto list = store->list();
    if (!list)
        return std::unexpected(std::move(list.error()));
    for (rejected_snapshot& each : list->rejected)
        if (!contains(rejected, each.path))
            rejected.push_back(std::move(each));

    for (const snapshot_info& each : list->snapshots) {
        if (each.point.next > options.not_after || contains(rejected, each.path))
            continue;
        cursor_options after = reading;
        after.from = from_point{each.point, each.journal.id};
        auto tail = cursor::open(directory, after);
        if (!tail && !is_misfit(tail.error().code))
            return std::unexpected(std::move(tail.error()));
        auto payload = tail ? store->load(each.path) : std::unexpected(tail.error());
        if (payload)
            return restore_start{std::move(*tail), std::move(*payload)};
        // A shortage of this process, and nothing that the snapshot lacks.
        if (payload.error().code == errc::out_of_memory)
            return std::unexpected(std::move(payload.error()));
        rejected.push_back({each.path, std::move(payload.error())});
    }

    return from_event_0();
}

// A damaged file can never be used again. One that does not fit the log may be: it can be newer
// than the events that are durable so far.
void set_aside_rejected(snapshot_store& store, const restore_report& report) {
    for (const rejected_snapshot& each : report.rejected)
        if (each.why.code == errc::damaged)
            static_cast<void>(store.set_aside(each.path));
}

}  // namespace detail

}  // namespace pawl
