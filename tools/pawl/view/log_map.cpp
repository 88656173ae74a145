#include "view/log_map.hpp"

#include <algorithm>
#include <utility>

namespace pawl::cli {

namespace {

constexpr sequence_number mark_distance = 256;
// To read so many events costs less than to find one that is not durable yet, for which a cursor
// reads its whole segment.
constexpr sequence_number worth_reading = 100'000;

using mark_type = std::pair<std::uint16_t, std::uint32_t>;

// Of two least times, of which 0 is none.
std::uint64_t least_of(std::uint64_t left, std::uint64_t right) {
    return left == 0 ? right : right == 0 ? left : std::min(left, right);
}

}  // namespace

void log_map::update(journal_info journal) {
    const std::unique_lock lock{guard_};
    sealed_end_ = journal.first_sequence;
    sealed_min_ns_ = 0;
    sealed_max_ns_ = 0;
    for (const segment_info& segment : journal.segments) {
        if (!segment.sealed)
            continue;
        sealed_end_ = std::max(sealed_end_, segment.end_sequence);
        sealed_min_ns_ = least_of(sealed_min_ns_, segment.min_timestamp_ns);
        sealed_max_ns_ = std::max(sealed_max_ns_, segment.max_timestamp_ns);
    }
    std::erase_if(marks_, [&](const mark& each) { return each.first < sealed_end_; });
    next_ = std::max(next_, sealed_end_);
    journal_ = std::move(journal);
}

void log_map::add(const event& e) {
    const std::unique_lock lock{guard_};
    if (marks_.empty() || e.sequence() >= marks_.back().first + mark_distance)
        marks_.push_back({.first = e.sequence(),
                          .position = e.position(),
                          .max_before_ns = max_ns_ == 0 ? e.timestamp_ns() : max_ns_});
    auto& types = marks_.back().types;
    const auto counted = std::ranges::find(types, e.type(), &mark_type::first);
    if (counted == types.end())
        types.emplace_back(e.type(), 1);
    else
        ++counted->second;
    next_ = e.sequence() + 1;
    last_ordinal_ = e.position().ordinal;
    min_ns_ = least_of(min_ns_, e.timestamp_ns());
    max_ns_ = std::max(max_ns_, e.timestamp_ns());
}

void log_map::set_durable(sequence_number durable) {
    const std::unique_lock lock{guard_};
    durable_ = durable;
}

void log_map::forget_unsealed() {
    const std::unique_lock lock{guard_};
    marks_.clear();
    next_ = sealed_end_;
    min_ns_ = 0;
    max_ns_ = 0;
}

journal_info log_map::journal() const {
    const std::shared_lock lock{guard_};
    return journal_;
}

log_extent log_map::extent() const {
    const std::shared_lock lock{guard_};
    return {.first = journal_.first_sequence,
            .next = std::max(next_, journal_.first_sequence),
            .min_ns = least_of(sealed_min_ns_, min_ns_),
            .max_ns = std::max(sealed_max_ns_, max_ns_)};
}

bool log_map::has_counted(std::uint64_t since_ns) const {
    const std::shared_lock lock{guard_};
    return since_ns > sealed_max_ns_;
}

std::uint64_t log_map::last_ordinal() const {
    const std::shared_lock lock{guard_};
    std::uint64_t last = last_ordinal_;
    for (const segment_info& each : journal_.segments) {
        if (each.ordinal < last)
            continue;
        last = each.ordinal;
        if (!each.sealed)
            break;
    }
    return last;
}

sequence_number log_map::unsealed_from() const {
    const std::shared_lock lock{guard_};
    return sealed_end_;
}

// A durable mark is found at once, so an earlier one may be better than the last before `end`.
start log_map::start_at(std::vector<mark>::const_iterator end, sequence_number wanted) const {
    const auto undurable =
        std::ranges::lower_bound(marks_.begin(), end, durable_, {}, &mark::first);
    if (undurable != marks_.begin() && wanted - std::prev(undurable)->first < worth_reading)
        return from_position{.position = std::prev(undurable)->position};
    return from_position{.position = std::prev(end)->position};
}

start log_map::start_of(sequence_number sequence) const {
    const std::shared_lock lock{guard_};
    const auto after = std::ranges::upper_bound(marks_, sequence, {}, &mark::first);
    if (after == marks_.begin())
        return from_sequence{sequence};
    return start_at(after, sequence);
}

start log_map::start_before(std::uint64_t ns) const {
    const std::shared_lock lock{guard_};
    if (marks_.empty() || ns <= sealed_max_ns_)
        return from_time{ns};
    auto after = std::ranges::lower_bound(marks_, ns, {}, &mark::max_before_ns);
    if (after == marks_.begin())
        ++after;
    return start_at(after, std::prev(after)->first);
}

result<log_place> log_map::open(start from, auto&& is_wanted) const {
    auto events =
        cursor::open(directory_, {.from = from, .allow_network_file_system = allow_network_});
    if (!events)
        return std::unexpected(std::move(events.error()));
    log_place place{.events = std::move(*events)};
    do {
        place.first = place.events.next();
    } while (place.first != nullptr && !is_wanted(*place.first));
    if (place.first != nullptr) {
        place.sequence = place.first->sequence();
        return place;
    }
    place.sequence = place.events.next_sequence();
    if (const auto end = place.events.finish(); !end)
        return std::unexpected(end.error());
    return place;
}

result<log_place> log_map::at_sequence(sequence_number sequence) const {
    return open(start_of(sequence), [=](const event& e) { return e.sequence() >= sequence; });
}

// A cursor that looks for a time fails at the first damage before it. The indexes of the segments
// after that still say where their times begin.
result<log_place> log_map::at_time_around_damage(std::uint64_t ns) const {
    for (const segment_info& each : journal().segments) {
        if (!each.sealed || each.max_timestamp_ns < ns)
            continue;
        sequence_number from = each.first_sequence;
        if (each.min_timestamp_ns < ns) {
            const auto later = first_since(directory_, each.ordinal, ns);
            if (!later)
                return std::unexpected(later.error());
            from = later->value_or(from);
        }
        return open(from_sequence{from}, [=](const event& e) { return e.timestamp_ns() >= ns; });
    }
    return at_sequence(unsealed_from());
}

result<log_place> log_map::at_time(std::uint64_t ns) const {
    auto place = open(start_before(ns), [=](const event& e) { return e.timestamp_ns() >= ns; });
    const bool damaged = !place && (place.error().code == errc::damaged ||
                                    place.error().code == errc::missing_segment);
    if (!damaged)
        return place;
    auto around = at_time_around_damage(ns);
    if (around)
        around->problem = std::move(place.error());
    return around;
}

}  // namespace pawl::cli
