// Counts how often an idle writer and an idle follower wake up.
#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

using namespace pawl;
using namespace pawl::test;

namespace {

// Voluntary context switches so far of this process's threads whose name begins with `name`.
std::uint64_t wake_ups(std::string_view name) {
    std::uint64_t sum = 0;
    for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
        std::ifstream status{task.path() / "status"};
        bool counts = false;
        for (std::string key; status >> key; status.ignore(1000, '\n')) {
            std::string value;
            if (key == "Name:" && status >> value)
                counts = value.starts_with(name);
            std::uint64_t switches = 0;
            if (counts && key == "voluntary_ctxt_switches:" && status >> switches)
                sum += switches;
        }
    }
    return sum;
}

}  // namespace

TEST_CASE("an idle writer and an idle blocked follower seldom wake up", "[idle]") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = small_segments();
    options.sync = sync_policy::every_us(1000);
    options.threads.name = "idle-w";
    auto log = must(writer::open(path, options));
    append_numbered(log, 1);
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> seen{0};
    std::thread follower{[&] {
        ::pthread_setname_np(::pthread_self(), "idle-f");
        auto events = must(cursor::open(path, {.follow = true}));
        while (!stop) {
            while (events.next() != nullptr)
                ++seen;
            (void)events.wait(std::chrono::seconds{10});
        }
    }};
    while (seen != 1)
        std::this_thread::yield();
    // Both count as idle after a second. The test counts wake-ups, and a busy machine only makes
    // them fewer.
    constexpr std::uint64_t seconds = 3;
    std::this_thread::sleep_for(std::chrono::milliseconds{1500});
    const std::uint64_t writer_before = wake_ups("idle-w");
    const std::uint64_t follower_before = wake_ups("idle-f");
    std::this_thread::sleep_for(std::chrono::seconds{seconds});
    CHECK(wake_ups("idle-w") - writer_before < 20 * seconds);
    CHECK(wake_ups("idle-f") - follower_before < 5 * seconds);
    // An event after an idle time still arrives, and is synced.
    append_numbered(log, 1);
    while (seen != 2 || log.durable() != 2)
        std::this_thread::yield();
    stop = true;
    append_numbered(log, 1);
    follower.join();
    must(log.close());
}
