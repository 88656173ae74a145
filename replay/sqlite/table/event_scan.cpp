#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/sqlite/event_scan.hpp>

#include <algorithm>
#include <utility>

namespace pawl {

namespace {

constexpr sequence_number no_end = std::numeric_limits<sequence_number>::max();

}  // namespace

// The sealed segments that hold an event of the time, neighbours as one range, and whatever is not
// sealed yet.
result<std::vector<event_scan::range>> event_scan::ranges_of(const std::filesystem::path& directory,
                                                             const event_filter& filter) {
    const range all{filter.from, filter.before};
    if (filter.since_ns == 0 && filter.until_ns == std::numeric_limits<std::uint64_t>::max())
        return std::vector{all};
    const auto info = inspect(directory);
    if (!info)
        return std::unexpected(info.error());
    std::vector<range> ranges;
    const auto add = [&](sequence_number from, sequence_number before) {
        from = std::max(from, filter.from.value_or(0));
        before = std::min(before, filter.before);
        if (from >= before)
            return;
        if (!ranges.empty() && ranges.back().before == from)
            ranges.back().before = before;
        else
            ranges.push_back({from, before});
    };
    std::optional<sequence_number> sealed_end;
    for (const segment_info& segment : info->segments) {
        if (!segment.sealed)
            continue;
        sealed_end = segment.end_sequence;
        if (segment.max_timestamp_ns < filter.since_ns ||
            segment.min_timestamp_ns > filter.until_ns)
            continue;
        sequence_number first = segment.first_sequence;
        if (segment.min_timestamp_ns < filter.since_ns)
            if (const auto later = first_since(directory, segment.ordinal, filter.since_ns);
                later && *later)
                first = std::max(first, **later);
        add(first, segment.end_sequence);
    }
    if (!sealed_end)
        return std::vector{all};
    add(*sealed_end, no_end);
    return ranges;
}

result<cursor> event_scan::open_range(const std::filesystem::path& directory,
                                      const event_filter& filter, const range& in) {
    cursor_options how{.show = filter.show,
                       .names = filter.names,
                       .allow_network_file_system = filter.allow_network_file_system};
    if (in.from)
        how.from = from_sequence{*in.from};
    if (filter.stream && *filter.stream != no_stream_id)
        how.stream = *filter.stream;
    // In a stream, its tags are looked at in selects().
    if (!filter.stream)
        how.tag = filter.tag;
    return cursor::open(directory, how);
}

result<event_scan> event_scan::open(const std::filesystem::path& directory,
                                    const event_filter& filter) {
    return detail::guarded([&]() -> result<event_scan> {
        auto ranges = ranges_of(directory, filter);
        if (!ranges)
            return std::unexpected(std::move(ranges.error()));
        const bool nothing = ranges->empty();
        if (nothing)
            ranges->push_back({filter.from, 0});
        auto events = open_range(directory, filter, ranges->front());
        if (!events)
            return std::unexpected(std::move(events.error()));
        return event_scan{directory, filter, std::move(*ranges), std::move(*events)};
    });
}

bool event_scan::selects(const event& e) const noexcept {
    return e.timestamp_ns() >= filter_.since_ns && e.timestamp_ns() <= filter_.until_ns &&
           (!filter_.type || e.type() == *filter_.type) &&
           (!filter_.stream || e.stream() == *filter_.stream) &&
           (filter_.tag == 0 || e.metadata().tags().contains(filter_.tag));
}

const event* event_scan::next() noexcept {
    while (!ended_ && !failure_) {
        const event* e = cursor_.next();
        if (e == nullptr)
            return nullptr;
        if (e->sequence() >= ranges_[range_].before) {
            ended_ = !next_range();
            continue;
        }
        if (selects(*e))
            return e;
    }
    return nullptr;
}

bool event_scan::next_range() noexcept {
    if (range_ + 1 == ranges_.size())
        return false;
    auto opened = open_range(directory_, filter_, ranges_[++range_]);
    if (opened)
        cursor_ = std::move(*opened);
    else
        failure_ = std::move(opened.error());
    return true;
}

result<end_of_journal> event_scan::finish() {
    if (failure_)
        return std::unexpected(std::move(*failure_));
    if (ended_)
        return end_of_journal::open;
    return cursor_.finish();
}

}  // namespace pawl
