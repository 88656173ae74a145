#include "view/density.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace pawl::cli {

namespace {

constexpr std::uint64_t most_read = 100'000;
constexpr std::uint64_t sample_events = 48;

void note(density& of, error why) {
    if (!of.problem)
        of.problem = std::move(why);
}

void count_all(log_place begin, sequence_number before, density& of) {
    const std::uint64_t until_ns = of.from_ns + of.bucket_ns * of.buckets.size();
    const event* e = begin.first;
    for (; e != nullptr && e->sequence() < before; e = begin.events.next()) {
        if (e->timestamp_ns() < of.from_ns || e->timestamp_ns() >= until_ns)
            continue;
        density_bucket& bucket =
            of.buckets[static_cast<std::size_t>((e->timestamp_ns() - of.from_ns) / of.bucket_ns)];
        if (bucket.events++ == 0)
            bucket.first = e->sequence();
        ++bucket.types[e->type()];
    }
    of.exact = true;
    if (e == nullptr)
        if (auto end = begin.events.finish(); !end)
            note(of, std::move(end.error()));
}

void sample_types(log_place place, std::uint64_t until_ns, density_bucket& of) {
    const event* e = place.first;
    for (std::uint64_t read = 0; read < sample_events && e != nullptr; ++read) {
        if (e->timestamp_ns() >= until_ns)
            break;
        ++of.types[e->type()];
        e = place.events.next();
    }
}

// The buckets from `begin` on, from what a follower has counted.
void count_unsealed(const log_map& map, std::size_t begin, density& of) {
    map.for_each_counted(of.from_ns + begin * of.bucket_ns, [&](const unsealed_events& part) {
        const auto at = static_cast<std::size_t>((part.max_before_ns - of.from_ns) / of.bucket_ns);
        if (at >= of.buckets.size())
            return;
        density_bucket& bucket = of.buckets[at];
        if (bucket.events == 0)
            bucket.first = part.first;
        for (const auto& [type, count] : part.types) {
            bucket.events += count;
            bucket.types[type] += count;
        }
    });
}

// Stands at each bound once: the next one's sequence says how many events the bucket has.
void sample(const log_map& map, density& of) {
    density_bucket* before = nullptr;
    for (std::size_t i = 0; i <= of.buckets.size(); ++i) {
        auto place = map.at_time(of.from_ns + i * of.bucket_ns);
        if (!place) {
            note(of, std::move(place.error()));
            before = nullptr;
            continue;
        }
        if (place->problem)
            note(of, std::move(*place->problem));
        if (before != nullptr)
            before->events = place->sequence - std::min(place->sequence, before->first);
        if (i == of.buckets.size())
            break;
        if (map.has_counted(of.from_ns + i * of.bucket_ns))
            return count_unsealed(map, i, of);
        before = &of.buckets[i];
        before->first = place->sequence;
        sample_types(std::move(*place), of.from_ns + (i + 1) * of.bucket_ns, *before);
    }
}

}  // namespace

result<density> measure_density(const log_map& map, std::uint64_t from_ns, std::uint64_t until_ns,
                                std::uint64_t buckets) {
    if (until_ns <= from_ns || until_ns - from_ns < buckets)
        return fail(errc::invalid_argument, "the time must last one nanosecond for each bucket");
    density of{.from_ns = from_ns,
               .bucket_ns = (until_ns - from_ns + buckets - 1) / buckets,
               .buckets = std::vector<density_bucket>(static_cast<std::size_t>(buckets))};
    auto begin = map.at_time(from_ns);
    const auto end = map.at_time(until_ns);
    if (begin && end && end->sequence - std::min(end->sequence, begin->sequence) <= most_read)
        count_all(std::move(*begin), end->sequence, of);
    if (of.exact && !of.problem)
        return of;
    // Damage ends a count, but a bound after it can still be found.
    of.exact = false;
    of.buckets.assign(of.buckets.size(), {});
    sample(map, of);
    return of;
}

}  // namespace pawl::cli
