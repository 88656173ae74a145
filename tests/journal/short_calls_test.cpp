#include "../support/temporary_directory.hpp"
#include "interposed_calls.hpp"
#include "journal_support.hpp"

using namespace pawl;
using namespace pawl::test;

// The kernel may move fewer bytes than requested, and a signal may interrupt any call.
TEST_CASE("reads and writes that are cut short or interrupted change nothing", "[concurrency]") {
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = small_segments();
    options.expected_streams = 100;
    {
        const short_calls calls{61};
        for (int life = 0; life < 2; ++life) {
            auto log = must(writer::open(path, options));
            CHECK(log.next_sequence() == life * 3000U);
            for (int i = 0; i < 3000; ++i)
                append_numbered(log, 1, static_cast<stream_id>(1 + i % 50));
            CHECK(must(log.stream("name " + std::to_string(life))) ==
                  first_named_stream + static_cast<stream_id>(life));
            (void)must(log.sync());
            must(log.close());
        }
        CHECK(read_numbered(path) == 6000);
        CHECK(read_numbered(path, {.keep_cached = false}) == 6000);
        CHECK(must(verify(path, {.deep = true})).findings.empty());
        CHECK(must(find_stream(path, "name 1")) == first_named_stream + 1);
        CHECK(calls.cut_short() > 100);
        CHECK(calls.interrupted() > 100);
    }
    const auto report = must(verify(path, {.deep = true}));
    CHECK(report.findings.empty());
    CHECK(report.events == 6000);
    CHECK(read_numbered(path) == 6000);
}
