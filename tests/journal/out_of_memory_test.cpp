// Every allocation of every call fails once: nothing throws, and the call returns out_of_memory or
// succeeds without the allocation.
#include "../support/temporary_directory.hpp"
#include "faults/support/allocation_hook.hpp"
#include "journal_support.hpp"

#include <pawl/journal/sealed_segment.hpp>

#include <functional>
#include <string>

using namespace pawl;
using namespace pawl::test;

namespace {

// Repeats the call, each time refusing the next allocation, until none is refused; returns the
// number of refused ones.
template <class Call>
std::uint64_t refuse_each_allocation(const Call& call) {
    std::uint64_t refused = 0;
    for (std::int64_t n = 0;; ++n) {
        auto& failing = failing_allocations;
        failing.for_good = false;
        failing.countdown = n;
        failing.refused = 0;
        failing.armed = true;
        call();
        failing.armed = false;
        if (failing.refused == 0)
            return refused;
        ++refused;
    }
}

}  // namespace

TEST_CASE("no call of the journal's interface lets std::bad_alloc through", "[memory]") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = small_segments();
    options.background_threads = false;
    options.full = when_full::fail;
    {
        auto log = must(writer::open(path, options));
        (void)must(log.stream("orders"));
        append_numbered(log, 10, 1);
        must(log.close());
    }
    // No assertions and no messages while allocations fail, because they allocate.
    std::uint64_t wrong = 0;
    const auto heed = [&wrong](const auto& outcome) {
        if (!outcome && outcome.error().code != errc::out_of_memory)
            ++wrong;
    };
    const recover_options rehearsal{.dry_run = true};
    const std::string name = "orders";
    const std::function<void()> calls[] = {
        [&] { heed(inspect(path)); },
        [&] { heed(verify(path)); },
        [&] { heed(verify(path, {.deep = true})); },
        [&] { heed(recover(path, rehearsal)); },
        [&] { heed(find_stream(path, name)); },
        [&] {
            auto segment = sealed_segment::open(path, 0);
            heed(segment);
            if (!segment)
                return;
            while (segment->next() != nullptr) {
            }
            heed(segment->finish());
            heed(segment->check_follows(nullptr));
        },
        [&] {
            auto events = cursor::open(path);
            heed(events);
            if (!events)
                return;
            while (events->next() != nullptr) {
            }
            heed(events->finish());
        },
        [&] {
            auto log = writer::open(path, options);
            heed(log);
        },
    };
    std::uint64_t refused = 0;
    for (const auto& call : calls)
        refused += refuse_each_allocation(call);
    CHECK(wrong == 0);
#if PAWL_ALLOCATION_HOOK
    CHECK(refused > 100);
#endif
    CHECK(read_numbered(path) == 10);
}
