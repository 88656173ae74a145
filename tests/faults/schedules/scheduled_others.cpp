// The threads beside the writer's own: one that syncs, and followers.
#include "scheduled_life.hpp"
#include "support/failure_text.hpp"

#include <fmt/core.h>

namespace pawl::test {

using std::chrono::milliseconds;

void scheduled_life::check_sync() {
    const sequence_number before = log_->published();
    const auto synced = log_->sync();
    // Once the writer is closed, everything is durable and there is nothing left to sync.
    if (!synced && synced.error().code == errc::closed && log_->durable() == log_->published())
        return;
    if (!synced)
        return wrong("a sync failed without cause: " + failure_text(*log_, synced.error()));
    if (*synced < before || log_->durable() < *synced)
        wrong(fmt::format("a sync returned {}, but {} were published before it", *synced, before));
}

void scheduled_life::sync_beside() {
    while (!finished_) {
        nap(2000);
        if (below(2) == 0 && log_->published() != 0) {
            const sequence_number wanted = log_->published() - 1;
            const auto durable = log_->wait_durable(wanted);
            if (!durable || *durable <= wanted)
                return wrong(fmt::format("waited in vain for event {}", wanted));
        } else {
            check_sync();
        }
    }
}

bool scheduled_life::look(const event& found, visibility show, sequence_number next) {
    if (found.sequence() != next) {
        wrong(fmt::format("a reader missed events: {} follows {}", found.sequence(), next));
        return false;
    }
    // An index may prove it before the watermark moves, so the disk decides, at the next moment.
    if (show == visibility::durable && next >= shown_durable_) {
        shown_durable_ = next + 1;
        if (below(8) == 0)
            schedule_.hasten_moment(soon);
    }
    if (auto fault = oracle_.fault_of(found); !fault.empty()) {
        wrong("a reader beside the writer: " + fault);
        return false;
    }
    return true;
}

void scheduled_life::follow(visibility show, wait_strategy wait) {
    if (below(2) == 0)
        nap(5000);
    auto events = cursor::open(directory(), {.show = show, .follow = true, .wait = wait});
    if (!events)
        return wrong("a reader cannot begin: " + events.error().message());
    sequence_number next = 0;
    constexpr int most_waits = 100;
    for (int waits = 0;;) {
        while (const event* found = events->next()) {
            if (!look(*found, show, next++))
                return;
        }
        const bool all_shown = show == visibility::published || closed_;
        if (finished_ && (!all_shown || next == oracle_.next()))
            break;
        if (finished_ && ++waits == most_waits)
            return wrong(fmt::format("a reader waits at {} of {}", next, oracle_.next()));
        if (auto more = events->wait(milliseconds{20}); !more)
            return wrong("a reader cannot wait: " + more.error().message());
    }
    if (auto end = events->finish(); !end)
        wrong("a reader's end: " + end.error().message());
}

}  // namespace pawl::test
