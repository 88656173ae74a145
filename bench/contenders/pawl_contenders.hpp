#pragma once

#include "contenders/question.hpp"
#include "measure/affinity.hpp"
#include "measure/clock.hpp"
#include "measure/contest.hpp"
#include "measure/failure.hpp"

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace bench {

// Returns the value, or throws a failure with Pawl's error message.
template <class Value>
Value must(pawl::result<Value> outcome, const char* what) {
    if (!outcome) {
        throw failure(std::string(what) + ": " + outcome.error().message());
    }
    if constexpr (!std::is_void_v<Value>) {
        return std::move(*outcome);
    }
}

// A journal in a fresh directory, open for writing; the destructor removes the directory.
class fresh_journal {
  public:
    fresh_journal(const std::filesystem::path& directory, const pawl::writer_options& options);
    ~fresh_journal();
    fresh_journal(const fresh_journal&) = delete;
    fresh_journal& operator=(const fresh_journal&) = delete;

    [[nodiscard]] pawl::writer& writer() noexcept { return *writer_; }
    [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }
    // Closes the journal and keeps its directory until the end of this object.
    void close();

    // Waits until the background thread has populated its whole window.
    void wait_until_populated() const;

  private:
    std::filesystem::path directory_;
    std::uint64_t window_;
    std::optional<pawl::writer> writer_;
};

// Options for a contest of appends inside one segment, populated whole like the floor's file: syncs
// only on demand, background threads off the writer's core.
[[nodiscard]] pawl::writer_options one_segment_options(const options& asked);

// The settings that matter for a row.
[[nodiscard]] std::string describe(const pawl::writer_options& options);

inline constexpr guarantees pawl_memory_guarantees{
    .survives_kill = true, .survives_power_loss = false, .checksummed = true};
inline constexpr guarantees pawl_durable_guarantees{
    .survives_kill = true, .survives_power_loss = true, .checksummed = true};

// The case of a row, and the number of events that a slice appends in calls of `events_each`.
struct pawl_append_case {
    std::string variant;
    std::size_t payload_bytes;
    std::uint64_t events_in_a_slice;
    std::uint64_t events_each = 1;
};

// A contender that appends in slices to one segment of a fresh journal each round. `make` is called
// when a round begins and returns the function for every append: bool(pawl::writer&, index), false
// if Pawl refused the append.
template <class Make>
contender pawl_append(const std::filesystem::path& scratch, const options& asked,
                      const pawl::writer_options& options, const pawl_append_case& what,
                      Make make) {
    using append_type = decltype(make(std::declval<pawl::writer&>()));
    struct state {
        std::optional<fresh_journal> journal;
        std::optional<append_type> append;
        std::uint64_t next = 0;
    };
    const auto now = std::make_shared<state>();
    const auto begin = [now, scratch, options, make, name = what.variant] {
        now->journal.emplace(scratch / ("pawl " + name), options);
        now->append.emplace(make(now->journal->writer()));
        now->next = 0;
        now->journal->wait_until_populated();
    };
    const auto run = [now, core = asked.writer_core(), each = what.events_each,
                      calls = what.events_in_a_slice / what.events_each]() -> sample {
        auto& log = now->journal->writer();
        auto& append = *now->append;
        const auto first = now->next;
        bool refused = false;
        const pinned here(core);
        stopwatch watch;
        for (std::uint64_t i = first; i < first + calls; ++i) {
            refused |= !append(log, i);
        }
        const auto taken = watch.stop();
        now->next += calls;
        if (refused) {
            throw failure("pawl refused an append");
        }
        return {.events = calls * each, .total_ns = taken, .interrupted = watch.interrupted()};
    };
    const auto end = [now] {
        now->append.reset();
        now->journal.reset();
    };
    return {.name = "pawl",
            .variant = what.variant,
            .payload_bytes = what.payload_bytes,
            .keeps = pawl_memory_guarantees,
            .options = describe(options),
            .begin = begin,
            .run = run,
            .end = end};
}

}  // namespace bench
