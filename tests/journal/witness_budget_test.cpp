#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <pawl/journal/detail/frame.hpp>

using namespace pawl;
using namespace pawl::test;

// Every fourth word looks like the start of a frame of half the segment, with a plausible next
// sequence: checking all of them takes minutes. A tail that cannot be searched is not cut.
TEST_CASE("a tail with more apparent frames than can be searched is refused, not cut") {
    constexpr std::uint64_t segment_bytes = std::uint64_t{1} << 20;
    const temporary_directory directory;
    const auto path = directory.path() / "j";
    auto options = small_segments();
    options.segment_bytes = segment_bytes;
    options.background_threads = false;
    options.full = when_full::fail;
    const std::uint64_t kinds = GENERATE(std::uint64_t{4}, std::uint64_t{4096});
    INFO("a plausible word in " << kinds);
    log_position torn{};
    {
        auto log = must(writer::open(path, options));
        append_numbered(log, 10);
        std::vector<std::uint64_t> words(100'000);
        const detail::commit_word plausible{segment_bytes / 2, 0, 1, 0};
        for (std::size_t i = 0; i + 3 < words.size(); i += kinds) {
            words[i] = plausible.value();
            words[i + 3] = 11;  // the sequence
        }
        torn = must(log.append({.type = 1}, std::as_bytes(std::span{words}))).position;
    }
    overwrite(segment(path, 0), torn.offset + detail::frame_offset::timestamp,
              bytes_of("XXXXXXXX"));
    const auto before = read_bytes(segment(path, 0), 0, segment_bytes);
    const auto opened = writer::open(path, options);
    // A few can all be searched, and then it is an ordinary torn tail.
    CHECK(opened.has_value() == (kinds != 4));
    if (opened) {
        CHECK(opened->next_sequence() == 10);
        return;
    }
    CHECK(opened.error().code == errc::damaged);
    CHECK(opened.error().offset == torn.offset);
    CHECK(opened.error().sequence == 10);
    CHECK(opened.error().detail.find("to check them all") != std::string::npos);
    CHECK(read_bytes(segment(path, 0), 0, segment_bytes) == before);
    CHECK_FALSE(must(verify(path)).sound());
}
