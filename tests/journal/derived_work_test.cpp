// A separate thread builds the files derived from the log, and no append waits for it.
#include "../support/temporary_directory.hpp"
#include "io_record.hpp"
#include "journal_support.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

using namespace pawl;
using namespace pawl::test;
using detail::io_operation;

namespace {

// Blocks the thread that creates an index until the barrier is opened.
class barrier {
  public:
    int pass(const io_call& call) {
        if (call.operation != io_operation::create ||
            !call.path.filename().string().ends_with(".idx.tmp"))
            return 0;
        std::unique_lock guard{mutex_};
        reached_ = true;
        opened_.wait(guard, [this] { return open_; });
        return 0;
    }
    void open() {
        const std::scoped_lock guard{mutex_};
        open_ = true;
        opened_.notify_all();
    }
    [[nodiscard]] bool is_reached() {
        const std::scoped_lock guard{mutex_};
        return reached_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable opened_;
    bool open_ = false;
    bool reached_ = false;
};

// Opens the barrier even if the test ends early: closing the writer waits for its threads.
struct opened_at_end {
    barrier& held;
    ~opened_at_end() { held.open(); }
};

}  // namespace

TEST_CASE("an append does not wait for a segment to be sealed", "[concurrency]") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    barrier sealing;
    const io_record record{[&](const io_call& call) { return sealing.pass(call); }};
    auto options = small_segments();
    options.full = when_full::fail;
    auto log = must(writer::open(path, options));
    const opened_at_end release{sealing};
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    const std::vector<std::byte> payload(1000);
    const auto append_some = [&] {
        REQUIRE(std::chrono::steady_clock::now() < deadline);
        const auto placed = log.append({.type = 1, .stream = 1}, payload);
        if (placed)
            return;
        REQUIRE(placed.error().code == errc::back_pressure);
        std::this_thread::yield();
    };
    while (!sealing.is_reached())
        append_some();
    // More than are ever prepared ahead.
    const std::uint64_t enough = log.statistics().rollovers + 20;
    while (log.statistics().rollovers < enough)
        append_some();
    CHECK(std::filesystem::exists(path / "0000000000.seg"));
    CHECK_FALSE(std::filesystem::exists(path / "0000000000.idx"));
    sealing.open();
    must(log.close());
    CHECK(must(verify(path, {.deep = true})).findings.empty());
}
