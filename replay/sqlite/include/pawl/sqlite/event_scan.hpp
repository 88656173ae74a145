// Reads the events of a journal that a filter selects, and as little else as possible.
//
//     auto scan = pawl::event_scan::open("orders", {.since_ns = opening, .stream = 42});
//     if (!scan)
//         return scan.error();
//     while (const pawl::event* e = scan->next())
//         use(*e);
//     if (auto end = scan->finish(); !end)
//         return end.error();
//
// A stream is found through the frames' links, a tag through the indexes, a sequence and a time
// through the indexes of sealed segments: those without an event of that time are not read, nor is
// the beginning of a segment up to `since_ns`. Time stamps need not ascend, so from there to the
// segment's end every event's time is compared.
//
// One thread at a time uses a scan. An event is valid until the next call.
#pragma once

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/types.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <vector>

namespace pawl {

struct event_filter {
    // not_found if it was pruned or lies beyond the end. Nothing: the first event in the journal.
    std::optional<sequence_number> from{};
    sequence_number before = std::numeric_limits<std::uint64_t>::max();  // exclusive
    std::uint64_t since_ns = 0;                                          // inclusive
    std::uint64_t until_ns = std::numeric_limits<std::uint64_t>::max();  // inclusive
    std::optional<stream_id> stream{};  // no_stream_id: the events of no stream
    tag_id tag = 0;                     // only events that name it; 0: all
    std::optional<std::uint16_t> type{};
    visibility show = visibility::published;
    bool allow_network_file_system = false;
    // Also names_before() and descriptions_before(); not with a stream, a tag or a time.
    bool names = false;
};

class event_scan {
  public:
    // Fails like cursor::open and inspect.
    [[nodiscard]] static result<event_scan> open(const std::filesystem::path& directory,
                                                 const event_filter& filter = {});

    // The next event that the filter selects; null after the last, or if reading failed. finish()
    // distinguishes the two.
    [[nodiscard]] const event* next() noexcept;
    // Like cursor::finish; `open` if the filter ended the scan before the end of the journal.
    [[nodiscard]] result<end_of_journal> finish();

    [[nodiscard]] const cursor& events() const noexcept { return cursor_; }

  private:
    struct range {
        std::optional<sequence_number> from;
        sequence_number before;
    };

    event_scan(std::filesystem::path directory, const event_filter& filter,
               std::vector<range> ranges, cursor events)
        : directory_{std::move(directory)},
          filter_{filter},
          ranges_{std::move(ranges)},
          cursor_{std::move(events)} {}

    [[nodiscard]] static result<std::vector<range>> ranges_of(
        const std::filesystem::path& directory, const event_filter& filter);
    [[nodiscard]] static result<cursor> open_range(const std::filesystem::path& directory,
                                                   const event_filter& filter, const range& in);
    [[nodiscard]] bool selects(const event& e) const noexcept;
    [[nodiscard]] bool next_range() noexcept;

    std::filesystem::path directory_;
    event_filter filter_;
    std::vector<range> ranges_;
    std::size_t range_ = 0;
    cursor cursor_;
    bool ended_ = false;  // by the filter
    std::optional<error> failure_{};
};

}  // namespace pawl
