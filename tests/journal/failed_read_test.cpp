// A failed read is not damage: the next attempt may succeed, and nothing may be cut or rebuilt
// because of it.
#include "../support/temporary_directory.hpp"
#include "io_record.hpp"
#include "journal_support.hpp"

#include <cerrno>

using namespace pawl;
using namespace pawl::test;

namespace {

// Two sealed segments and a closed third one, with streams and a name.
void make_journal(const std::filesystem::path& path) {
    auto log = must(writer::open(path, small_segments()));
    const std::vector<std::byte> payload(1000);
    (void)must(log.stream("orders"));
    for (stream_id stream = 1; log.statistics().rollovers < 2; stream = stream % 5 + 1)
        (void)must(log.append({.stream = stream}, payload));
    must(log.close());
}

// Calls attempt() with each of its reads refused in turn, and each time afterwards() with none
// refused. Returns the number of reads.
template <class Attempt, class Afterwards>
std::size_t refuse_each_read(const Attempt& attempt, const Afterwards& afterwards) {
    for (std::size_t refused = 0;; ++refused) {
        std::size_t reads = 0;
        std::filesystem::path path;
        {
            const io_record record{[&](const io_call& call) {
                if (call.operation != detail::io_operation::read || reads++ != refused)
                    return 0;
                path = call.path;
                return EIO;
            }};
            INFO("read " << refused << " fails");
            attempt();
        }
        afterwards();
        if (path.empty())
            return refused;
    }
}

}  // namespace

TEST_CASE("a read that fails is never called damage") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    make_journal(path);

    SECTION("by verify") {
        const auto reads = refuse_each_read(
            [&] {
                const auto report = verify(path);
                if (!report) {
                    CHECK(report.error().code == errc::io);
                    return;
                }
                for (const auto& found : report->findings) {
                    INFO(found.what.message());
                    CHECK_FALSE(found.damage);
                    CHECK(found.what.code == errc::io);
                }
            },
            [] {});
        CHECK(reads > 5);
    }
    SECTION("by a cursor") {
        const auto reads = refuse_each_read(
            [&] {
                auto events = cursor::open(path);
                if (!events) {
                    CHECK(events.error().code == errc::io);
                    return;
                }
                const auto end = events->for_each([](const event&) {});
                if (!end)
                    CHECK(end.error().code == errc::io);
            },
            [] {});
        CHECK(reads > 5);
    }
    SECTION("by an open for writing, which leaves a sound journal") {
        auto options = small_segments();
        options.background_threads = false;
        options.full = when_full::fail;
        const auto copy = directory.path() / "copy";
        const auto reads = refuse_each_read(
            [&] {
                std::filesystem::remove_all(copy);
                std::filesystem::copy(path, copy, std::filesystem::copy_options::recursive);
                const auto log = writer::open(copy, options);
                if (!log)
                    CHECK(log.error().code == errc::io);
            },
            [&] { CHECK(must(verify(copy)).sound()); });
        CHECK(reads > 5);
    }
}
