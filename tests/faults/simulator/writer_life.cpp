#include "writer_life.hpp"

#include "controlled_process.hpp"
#include "format/segment_layout.hpp"
#include "support/failure_text.hpp"

#include <fmt/core.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/frame.hpp>

#include <array>
#include <cerrno>
#include <utility>

namespace pawl::test {

using detail::io_operation;

namespace {

constexpr std::uint64_t segment_bytes = std::uint64_t{64} << 10;
constexpr std::size_t most_metadata = 16;

[[nodiscard]] bool is_sync(io_operation operation) noexcept {
    return operation == io_operation::sync_range || operation == io_operation::sync_file ||
           operation == io_operation::sync_directory;
}

}  // namespace

bool changes_disk(io_operation operation) noexcept {
    return operation != io_operation::open && operation != io_operation::map &&
           operation != io_operation::read && operation != io_operation::lock;
}

writer_options life_options() {
    writer_options options;
    options.segment_bytes = segment_bytes;
    options.sync = sync_policy::manual();
    options.clock = clock_source::caller;
    options.full = when_full::fail;
    options.background_threads = false;
    options.populate_bytes = 0;
    options.scrub_bytes_per_second = 0;
    options.expected_streams = 64;
    return options;
}

namespace {

[[nodiscard]] event_header header_of(const expected_event& event, expect expected) {
    // In some streams, all events have metadata.
    static constexpr std::array<std::byte, 8> when{std::byte{1}};
    static constexpr std::array entries{metadata_entry{metadata_tag::source_time, when}};
    event_header header{
        .type = event.type, .stream = event.stream, .expected = expected, .timestamp_ns = 1};
    if (event.stream == 3)
        header.metadata = entries;
    return header;
}

}  // namespace

result<receipt> append(writer& log, const expected_event& event, expect expected) {
    return log.append(header_of(event, expected), event_oracle::payload(event));
}

result<reservation> reserve(writer& log, const expected_event& event, std::uint64_t spare) {
    auto space = log.reserve({.type = event.type, .stream = event.stream, .timestamp_ns = 1},
                             event.bytes + spare);
    if (space) {
        std::ranges::fill(space->payload(), std::byte{0xab});
        std::ranges::copy(event_oracle::payload(event), space->payload().begin());
    }
    return space;
}

std::string version_fault(const writer& log, const event_oracle& oracle, std::size_t streams) {
    for (std::size_t stream = 1; stream <= streams; ++stream) {
        if (log.version(stream) != oracle.version(stream)) {
            return fmt::format("stream {} is at version {}, but has {} events", stream,
                               log.version(stream), oracle.version(stream));
        }
    }
    return {};
}

std::string reading_fault(const std::filesystem::path& directory, const event_oracle& oracle) {
    auto events = cursor::open(directory);
    if (!events)
        return "cannot be read: " + events.error().message();
    sequence_number expected = 0;
    while (const event* found = events->next()) {
        if (found->sequence() != expected)
            return fmt::format("gap: {} follows {}", found->sequence(), expected);
        if (auto fault = oracle.fault_of(*found); !fault.empty())
            return fault;
        ++expected;
    }
    if (auto end = events->finish(); !end)
        return "cannot be read: " + end.error().message();
    if (expected != oracle.next())
        return fmt::format("reading ends at {} of {}", expected, oracle.next());
    return {};
}

writer_life::writer_life(moments& watcher, const std::filesystem::path& root, event_oracle oracle,
                         bool failing_syncs)
    : watcher_{watcher},
      directory_{journal_in(root)},
      options_{life_options()},
      oracle_{std::move(oracle)},
      disk_{root} {
    constexpr std::array clocks{clock_source::caller, clock_source::caller, clock_source::system,
                                clock_source::tsc};
    options_.clock = clocks[below(clocks.size())];
    options_.populate_bytes = below(2) * 16'384;
    options_.scrub_bytes_per_second = below(2);
    constexpr std::array<std::uint32_t, 6> sizes{0, 8, 16, 24, 40, 104};
    usual_bytes_ = sizes[below(sizes.size())];
    if (failing_syncs && below(4) == 0)
        calls_until_failure_ = 1 + below(40);
}

void writer_life::hook() const noexcept {
    detail::set_io_hook(
        [](void* self, const detail::io_event& event) {
            return static_cast<writer_life*>(self)->on_call(event);
        },
        const_cast<writer_life*>(this));
}

int writer_life::on_call(const detail::io_event& event) {
    if (!changes_disk(event.operation) || watcher_.done())
        return 0;
    look();
    if (is_sync(event.operation) && calls_until_failure_ != 0 && --calls_until_failure_ == 0) {
        failed_ = true;
        disk_.fail_sync(event, below(1'000'000'000));
        return EIO;
    }
    disk_.perform(event);
    return 0;
}

void writer_life::look() {
    disk_.observe();
    watcher_.moment(*this);
}

// True if there is a writer now. Only a failed sync may have prevented that.
bool writer_life::open() {
    (void)store_watch::enable(disk_.has_stale_pages());
    failed_ = false;
    opening_ = true;
    auto opened = writer::open(directory_, options_);
    opening_ = false;
    if (watcher_.done())
        return false;
    if (!opened) {
        if (!failed_ || opened.error().code != errc::io)
            watcher_.wrong(*this, "refused: " + opened.error().message());
        return false;
    }
    log_.emplace(std::move(*opened));
    // The power has not failed since a process of this life opened the journal, so nothing may be
    // missing. A process whose open failed at a sync may have seen what the next one does not see.
    if (has_been_open_ && log_->next_sequence() != oracle_.next()) {
        watcher_.wrong(*this,
                       fmt::format("lost with the process: continues at {}, but {} were published",
                                   log_->next_sequence(), oracle_.next()));
        return false;
    }
    if (auto fault = oracle_.fault_of(log_->next_sequence()); !fault.empty()) {
        watcher_.wrong(*this, fault);
        return false;
    }
    has_been_open_ = true;
    look_after_opening();
    look();
    return true;
}

void writer_life::look_after_opening() {
    oracle_.recovered(log_->next_sequence());
    position_ = detail::first_frame_offset;
    if (auto fault = version_fault(*log_, oracle_); !fault.empty())
        watcher_.wrong(*this, fault);
    // What earlier recoveries kept must still be there, and what this one kept must stay from now
    // on.
    if (auto fault = oracle_.fault_of_kept(directory_); !fault.empty())
        watcher_.wrong(*this, fault);
    oracle_.kept(directory_, log_->recovery().kept);
}

void writer_life::run() {
    constexpr int most_processes = 4;
    for (; process_ < most_processes && !watcher_.done(); ++process_) {
        hook();
        const bool opened = open();
        if (watcher_.done())
            break;
        if (!opened)
            continue;  // the process ended with the failure; the next one retries
        for (std::uint64_t left = 4 + below(30); left != 0 && log_ && !watcher_.done(); --left)
            step();
        log_.reset();
        disk_.observe();
        if (below(2) == 0)
            break;
        // Only the process dies: what was published stays, in the page cache if nowhere else.
    }
    log_.reset();
    (void)store_watch::enable(false);
    detail::set_io_hook(nullptr, nullptr);
}

void writer_life::step() {
    const std::uint64_t what = below(100);
    if (what < 46) {
        append_one(below(4) == 0 ? some_bytes() : usual_bytes_);
    } else if (what < 48) {
        append_too_late();
    } else if (what < 60) {
        append_batch();
    } else if (what < 68) {
        append_reserved();
    } else if (what < 74) {
        append_filler();
    } else if (what < 85) {
        sync();
    } else if (what < 96) {
        poll();
    } else if (what < 97) {
        (void)log_->stream(fmt::format("name {}", below(3)));
    } else if (what < 98) {
        const std::string text(below(40), 'x');
        (void)log_->describe(
            {static_cast<std::uint16_t>(below(2)), 0, "type", std::as_bytes(std::span{text})}, 1);
    } else {
        close();
        return;
    }
    if (watcher_.done())
        return;
    oracle_.acknowledged(log_->durable());
    look();
    constexpr std::uint64_t read_every = 4;
    if (!watcher_.done() && !failed_ && below(read_every) == 0) {
        if (auto fault = reading_fault(directory_, oracle_); !fault.empty())
            watcher_.wrong(*this, "a reader beside the writer: " + fault);
    }
}

void writer_life::went(const result<receipt>& given, const expected_event& event) {
    if (!given)
        return;
    if (given->sequence != oracle_.next()) {
        watcher_.wrong(
            *this, fmt::format("gap: event {} got sequence {}", oracle_.next(), given->sequence));
    }
    oracle_.published(event);
    position_ = given->position.offset + detail::padded(detail::frame_header_bytes + event.bytes);
}

std::uint32_t writer_life::some_bytes() {
    return static_cast<std::uint32_t>(below(300));
}
std::uint16_t writer_life::some_stream() {
    return static_cast<std::uint16_t>(below(oracle_streams + 1));
}

void writer_life::append_one(std::uint32_t bytes) {
    const auto event = oracle_.make(bytes, some_stream());
    const bool expecting = event.stream != 0 && below(3) == 0;
    const auto expected =
        expecting ? expect::exactly(oracle_.version(event.stream)) : expect::any();
    const auto given = append(*log_, event, expected);
    if (!given && given.error().code == errc::conflict)
        watcher_.wrong(*this, "a conflict although the stream is at the expected version");
    went(given, event);
}

// Expects a version that the stream has passed or not reached yet.
void writer_life::append_too_late() {
    const auto event = oracle_.make(usual_bytes_, static_cast<std::uint16_t>(1 + below(4)));
    const std::uint64_t version = oracle_.version(event.stream);
    const auto wrong = version != 0 && below(2) == 0 ? version - 1 : version + 1;
    const auto given = append(*log_, event, expect::exactly(wrong));
    if (given)
        watcher_.wrong(*this, "an event was appended although its stream is at another version");
    else if (given.error().code == errc::conflict && given.error().actual_version != version)
        watcher_.wrong(*this, "a conflict that names another version than the stream's");
}

// Leaves so little of the segment that the next events roll over.
void writer_life::append_filler() {
    const std::uint64_t end = segment_bytes - detail::end_frame_bytes;
    const std::uint64_t keep = below(400);
    if (position_ + detail::frame_header_bytes + keep >= end)
        return;
    append_one(static_cast<std::uint32_t>(end - keep - position_ - detail::frame_header_bytes));
    sync();
}

void writer_life::append_batch() {
    const auto count = static_cast<std::uint32_t>(1 + below(4));
    const std::uint32_t bytes = below(3) == 0 ? some_bytes() : usual_bytes_;
    auto opened = log_->begin_batch(count, std::size_t{count} * (bytes + most_metadata));
    if (!opened)
        return;
    std::vector<expected_event> events;
    std::array<std::uint64_t, oracle_streams + 1> added{};  // by stream
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto event = oracle_.make(bytes, some_stream());
        const std::uint64_t version = oracle_.version(event.stream) + added[event.stream];
        if (add_to_batch(*opened, event, version)) {
            events.push_back(event);
            ++added[event.stream];
        }
        if (below(4) == 0)
            look();
        if (below(4) == 0)
            poll_later();
    }
    if (below(4) == 0) {
        opened->abandon();
        return;
    }
    const auto given = opened->commit();
    if (given.has_value() == events.empty() && log_->failure() == std::nullopt)
        watcher_.wrong(*this, "an empty batch was committed, or one with events was not");
    if (!given)
        return;
    for (auto& event : events) {
        event.more_in_batch = &event != &events.back();
        oracle_.published(event);
    }
    position_ = given->position.offset + detail::padded(detail::frame_header_bytes + bytes);
}

// Whether the event is in the batch: a reserved one may have been abandoned.
bool writer_life::add_to_batch(batch& together, const expected_event& event,
                               std::uint64_t version) {
    const bool expecting = event.stream != 0 && below(4) == 0;
    const auto header = header_of(event, expecting ? expect::exactly(version) : expect::any());
    const auto payload = event_oracle::payload(event);
    if (below(3) != 0)
        return together.append(header, payload).has_value();
    auto space = together.reserve(header, event.bytes);
    if (!space)
        return false;
    std::ranges::fill(space->payload(), std::byte{0xab});
    look();
    if (below(4) == 0) {
        space->abandon();
        return false;
    }
    std::ranges::copy(payload, space->payload().begin());
    return space->commit(event.bytes).has_value();
}

void writer_life::append_reserved() {
    auto event = oracle_.make(usual_bytes_, some_stream());
    auto space = reserve(*log_, event, below(200));
    if (!space)
        return;
    look();
    if (below(2) == 0)
        return space->abandon();
    went(space->commit(event.bytes), event);
}

void writer_life::sync() {
    const auto synced = log_->sync();
    if (watcher_.done())
        return;
    if (synced)
        oracle_.acknowledged(*synced);
    else if (!failed_)
        watcher_.wrong(*this,
                       "a sync failed without cause: " + failure_text(*log_, synced.error()));
}

void writer_life::poll() {
    if (below(3) == 0)
        controlled_process::advance_us(below(4) == 0 ? 10'000'000 : 5000);
    const auto polled = log_->poll();
    if (!polled && !failed_ && !watcher_.done())
        watcher_.wrong(*this,
                       "a poll failed without cause: " + failure_text(*log_, polled.error()));
}

// Advances the clock until a clock report is due.
void writer_life::poll_later() {
    controlled_process::advance_us(10'000'000);
    poll();
}

void writer_life::close() {
    // A batch or reservation that is open at the close is not part of the log, whatever it has
    // stored.
    std::optional<batch> together;
    std::optional<reservation> space;
    if (below(3) == 0) {
        if (auto begun = log_->begin_batch(2, std::size_t{2} * usual_bytes_)) {
            together.emplace(std::move(*begun));
            (void)add_to_batch(*together, oracle_.make(usual_bytes_, 1), oracle_.version(1));
        }
    }
    if (below(3) == 0) {
        auto reserved = together ? together->reserve({.type = 1}, usual_bytes_)
                                 : log_->reserve({.type = 1}, usual_bytes_);
        if (reserved) {
            space.emplace(std::move(*reserved));
            std::ranges::fill(space->payload(), std::byte{0xab});
        }
    }
    const auto closed = log_->close();
    space.reset();
    together.reset();
    if (watcher_.done())
        return;
    if (closed)
        oracle_.acknowledged(oracle_.next());
    else if (!failed_)
        watcher_.wrong(*this,
                       "closing failed without cause: " + failure_text(*log_, closed.error()));
    look();
    log_.reset();
}

}  // namespace pawl::test
