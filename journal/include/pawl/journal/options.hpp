// Options for opening a journal for writing. Every default suits a service; each field documents
// its cost and its range.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/prune.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace pawl {

// The source of an event's timestamp. A timestamp is data: nothing in Pawl relies on its order.
enum class clock_source : std::uint8_t {
    tsc,     // calibrated time stamp counter, about 10 ns; the system clock if it is not invariant
    system,  // clock_gettime(CLOCK_REALTIME), about 22 ns
    caller,  // event_header::timestamp_ns, free
};

// When published events become durable without an explicit sync.
struct sync_policy {
    std::uint32_t interval_us =
        0;                    // sync at least this often while there is something to sync; 0: never
    std::uint64_t bytes = 0;  // sync when this many bytes are published and not durable; 0: never

    // Only sync() and wait_durable() sync.
    [[nodiscard]] static constexpr sync_policy manual() noexcept { return {}; }
    [[nodiscard]] static constexpr sync_policy every_us(std::uint32_t us) noexcept {
        return {.interval_us = us};
    }
    [[nodiscard]] static constexpr sync_policy every_bytes(std::uint64_t bytes) noexcept {
        return {.bytes = bytes};
    }
};

// What an append does when the next segment, or a larger table of streams, is not ready.
enum class when_full : std::uint8_t {
    fail,  // returns back_pressure, or disk_full where that is why
    spin,  // waits for the background thread; still returns disk_full
};

// How much of the journal an open for writing reads first.
enum class verify_at_open : std::uint8_t {
    unsealed,  // what a crash can have touched; the background reads sealed segments
    all,       // every byte
};

// What the writer prunes by itself, on a background thread: see prune.hpp for what goes and what is
// kept of it. It looks after each segment that is sealed and once an hour; with neither limit set,
// never.
struct retention_policy {
    std::uint64_t keep_ns = 0;  // keep events younger than this, by their time stamps; 0: no limit
    std::uint64_t keep_bytes = 0;  // keep so many bytes in sealed segments; 0: no limit
    // Called before each prune, on the background thread, or inside poll() if there is none: who
    // still needs which events. An error keeps everything until the next time, and counts as
    // writer_statistics::failed_prunes. It must not throw, and may make the calls marked "any
    // thread" in writer.hpp.
    std::function<result<std::vector<prune_hold>>()> holds{};
};

// Name and placement of the background threads.
struct thread_options {
    std::string name = "pawl";  // at most 9 characters, a suffix is added
    std::vector<int> cores;     // allowed cores; empty: any
};

struct writer_options {
    bool create = true;  // create a journal in a missing or empty directory
    std::uint64_t segment_bytes =
        256ull << 20;  // for a new journal: 64 KiB to 4 GiB, a multiple of 64 KiB
    // If set, this writer copies the events of a journal with that origin (cursor::identity), one
    // by one, into a journal of its own, which keeps the origin. Use it with clock_source::caller,
    // and append events, names and batches in the original's order with its time stamps. Opening a
    // journal of another origin is invalid_argument.
    journal_id origin{};
    sync_policy sync = sync_policy::every_us(1000);
    clock_source clock = clock_source::tsc;
    // While events are appended, the log says this often, and at the start of each segment, how
    // good its time stamps are (last_clock_report): 104 bytes each. 0, or clock_source::caller:
    // never.
    std::uint32_t clock_report_interval_s = 5;
    when_full full = when_full::spin;
    verify_at_open verify = verify_at_open::unsealed;
    // Pages are populated this far ahead of the writer, so that appends take no page faults.
    std::uint64_t populate_bytes = 8ull << 20;
    // Room for this many streams before the table first grows (24 bytes each).
    std::uint64_t expected_streams = 1024;
    // The newest commands whose ids the writer remembers (metadata_tag::command), also after it was
    // opened again: an event of one of them is refused (repeated), so that a command takes effect
    // once. An older command's id is as good as new. 64 bytes each, once used; 0: none.
    std::uint32_t command_window = 100'000;
    // Bytes per second of sealed segments that the background reads to find damage early; 0: none.
    std::uint64_t scrub_bytes_per_second = 32ull << 20;
    retention_policy retention{};
    // True: also write to a journal on NFS, FUSE or another file system whose locks and shared
    // mappings may not be dependable (README). For a local file system that is implemented with
    // FUSE and supports both; anywhere else two writers may damage the journal.
    bool allow_network_file_system = false;
    // For a new journal: permission bits of journal.pawl, less those of the umask. Every later file
    // gets owner, group and mode of journal.pawl, whatever this says, whatever the umask and
    // the user that runs the process; to change who may use a journal, chown and chmod all its
    // files. A process that may not give files to that owner is refused (foreign_owner).
    std::uint32_t mode = 0600;
    // False: no threads are started, and the program must call writer::poll() often; each call does
    // the work that is due. when_full::spin is then not allowed.
    bool background_threads = true;
    thread_options threads{};
    // Called with the error that ends the writer, such as a failed sync or damage found by the
    // background: on a background thread, or inside poll() if there are none. It must not throw. It
    // may make the calls marked "any thread" in writer.hpp; close() and poll() return busy, and it
    // must not destroy the writer.
    std::function<void(const struct error&)> observer{};
};

}  // namespace pawl
