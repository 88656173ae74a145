#include "view/segment_check.hpp"

#include <pawl/journal/sealed_segment.hpp>

#include <new>
#include <utility>

namespace pawl::cli {

namespace {

// Reads it to its end, or until a stop is wanted.
result<void> read_through(sealed_segment& segment, const std::stop_token& stop) {
    constexpr std::uint64_t look_each = 4096;
    for (std::uint64_t read = 1; segment.next() != nullptr; ++read)
        if (read % look_each == 0 && stop.stop_requested())
            return {};
    return segment.finish();
}

}  // namespace

segment_check::progress segment_check::look() const {
    const std::scoped_lock lock{guard_};
    return seen_;
}

void segment_check::put(std::uint64_t ordinal, segment_verdict verdict) {
    const std::scoped_lock lock{guard_};
    seen_.verdicts[ordinal] = std::move(verdict);
}

void segment_check::start() {
    const std::scoped_lock starting{starting_};
    {
        const std::scoped_lock lock{guard_};
        if (seen_.running)
            return;
        seen_ = {.running = true};
    }
    thread_ = std::jthread{[this](const std::stop_token& stop) {
        std::optional<error> failure;
        try {
            run(stop);
        } catch (const std::bad_alloc&) {
            failure = error{.code = errc::out_of_memory};
        }
        const std::scoped_lock lock{guard_};
        seen_.running = false;
        if (failure)
            seen_.verdicts[seen_.ordinal] = {.problem = std::move(failure)};
    }};
}

void segment_check::run(const std::stop_token& stop) {
    std::optional<sealed_segment> before;
    std::uint64_t next_ordinal = 0;
    for (const segment_info& each : map_.journal().segments) {
        if (stop.stop_requested())
            return;
        if (!each.sealed)
            continue;
        {
            const std::scoped_lock lock{guard_};
            seen_.ordinal = each.ordinal;
        }
        auto segment = sealed_segment::open(map_.directory(), each.ordinal);
        if (!segment) {
            put(each.ordinal, {.problem = std::move(segment.error())});
            before.reset();
            continue;
        }
        auto done = read_through(*segment, stop);
        if (stop.stop_requested())
            return;
        if (done && before && each.ordinal == next_ordinal)
            done = segment->check_follows(&*before);
        if (done)
            put(each.ordinal, {.sound = true});
        else
            put(each.ordinal, {.problem = std::move(done.error())});
        before.reset();
        if (done)
            before.emplace(std::move(*segment));
        next_ordinal = each.ordinal + 1;
    }
}

}  // namespace pawl::cli
