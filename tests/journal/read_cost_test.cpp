// Counts what reading costs: calls, bytes read from files, bytes copied.
#include "../support/temporary_directory.hpp"
#include "format/frame_check.hpp"
#include "interposed_calls.hpp"
#include "journal_support.hpp"

#include <array>

using namespace pawl;
using namespace pawl::test;

namespace {

constexpr std::uint64_t segment_bytes = std::uint64_t{1} << 20;
constexpr std::uint64_t sealed_segments = 4;
constexpr std::size_t payload_bytes = 968;
constexpr std::size_t frame_bytes = detail::frame_header_bytes + payload_bytes;

// Four sealed segments, and a short fifth one.
class long_journal {
  public:
    long_journal() {
        auto options = small_segments();
        options.segment_bytes = segment_bytes;
        auto log = must(writer::open(path(), options));
        const std::vector<std::byte> payload(payload_bytes);
        while (log.statistics().rollovers < sealed_segments)
            (void)must(log.append({}, payload));
        events = log.next_sequence();
        must(log.close());
    }
    [[nodiscard]] std::filesystem::path path() const { return directory_.path() / "j"; }

    sequence_number events = 0;

  private:
    temporary_directory directory_;
};

}  // namespace

TEST_CASE("a replay reads a mebibyte with four windows, and little of it twice") {
    const long_journal journal;
    auto log = must(cursor::open(journal.path()));
    const auto before = reads();
    sequence_number seen = 0;
    while (log.next() != nullptr)
        ++seen;
    CHECK(seen == journal.events);
    const auto took = reads() - before;
    // Seventeen windows of 256 KiB, one of them in the fifth segment, and what is read to enter a
    // segment, the end frame of a sealed one among it. A window begins at the page in which the
    // previous one ended.
    CHECK(took.calls == 33);
    CHECK(took.bytes == 4'427'136);
}

TEST_CASE("events lie one after another in the window: a cursor copies none of them") {
    const long_journal journal;
    auto log = must(cursor::open(journal.path()));
    const std::byte* last = nullptr;
    std::uint64_t elsewhere = 0;
    while (const event* found = log.next()) {
        const std::byte* here = found->payload().data();
        elsewhere += here == last + detail::padded(frame_bytes) ? 0 : 1;
        last = here;
    }
    CHECK(elsewhere == 17);  // the first in each window
}

TEST_CASE("a seek reads one window from the mark before the event") {
    const long_journal journal;
    std::uint64_t later_segments = sealed_segments;
    for (const auto eighth : std::to_array<std::uint64_t>({1, 3, 5, 6})) {
        // Not the first of a segment, for which the seek also reads the end of the one before.
        const sequence_number wanted = journal.events * eighth / 8 + 1;
        const auto before = reads();
        auto log = must(cursor::open(journal.path(), {.from = from_sequence{wanted}}));
        const event* found = log.next();
        REQUIRE(found != nullptr);
        CHECK(found->sequence() == wanted);
        const auto took = reads() - before;
        // From the last segment backwards: the header of each index, and in the right segment the
        // end frame and the marks that a binary search probes.
        CHECK(took.calls == 6 + later_segments);
        CHECK(took.bytes == (std::uint64_t{256} << 10) + 992 + 256 * later_segments);
        --later_segments;
    }
}
