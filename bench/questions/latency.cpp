// How long from the writer to a reader that spins? Between two threads and between two processes,
// against a bare memory ring that passes the same hashed frame.

#include "contenders/floor_contenders.hpp"
#include "contenders/pawl_contenders.hpp"
#include "contenders/question.hpp"
#include "contenders/raw_log.hpp"
#include "measure/affinity.hpp"
#include "measure/clock.hpp"
#include "measure/mapping.hpp"
#include "measure/pace.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace bench {
namespace {

constexpr std::uint64_t epoch = 4;
constexpr pawl::event_header firehose{.type = 1, .schema_version = 1};

enum class reader_is { thread, process };

// The data that a run's writer and reader share, in memory that a forked child sees too. A
// histogram is on the heap, so the reader stores its latencies here one by one.
struct shared_state {
    std::atomic<std::uint64_t> ready{0};
    std::atomic<std::uint64_t> failed{0};
    std::uint64_t* latencies_ns = nullptr;
};

class shared_block {
  public:
    explicit shared_block(std::uint64_t count)
        : memory_(mapping::anonymous(sizeof(shared_state) + count * sizeof(std::uint64_t))),
          state_(new(memory_.data()) shared_state) {
        state_->latencies_ns =
            reinterpret_cast<std::uint64_t*>(memory_.data() + sizeof(shared_state));
    }
    [[nodiscard]] shared_state* operator->() const noexcept { return state_; }

  private:
    mapping memory_;
    shared_state* state_;
};

// The intended start, in ticks, travels in the first 8 bytes of the payload.
void stamp(std::span<std::byte> payload, std::uint64_t intended) {
    std::memcpy(payload.data(), &intended, sizeof intended);
}
std::uint64_t stamped(std::span<const std::byte> payload) {
    std::uint64_t intended = 0;
    std::memcpy(&intended, payload.data(), sizeof intended);
    return intended;
}

// Runs `read` beside `write`, in a thread or a forked child. Each is pinned to its core; `write`
// starts when the reader has signalled that it is ready.
sample run_pair(const options& asked, reader_is where, std::uint64_t count, shared_block& shared,
                const std::function<void()>& write, const std::function<void()>& read) {
    const auto reader = [&] {
        const pinned here(asked.reader_core());
        try {
            read();
        } catch (const std::exception&) {
            shared->failed = 1;
            shared->ready = 1;
        }
    };
    sample made{.events = count, .total_ns = 0, .latency = histogram{}};
    const auto writer = [&] {
        while (shared->ready.load(std::memory_order_acquire) == 0) {
        }
        const pinned here(asked.writer_core());
        const auto start = ticks();
        write();
        made.total_ns = elapsed_ns(start);
    };
    if (where == reader_is::thread) {
        std::thread other(reader);
        writer();
        other.join();
    } else {
        const pid_t child = fork();
        if (child < 0) {
            fail_errno("fork");
        }
        if (child == 0) {
            reader();
            _exit(0);
        }
        writer();
        waitpid(child, nullptr, 0);
    }
    if (shared->failed != 0) {
        throw failure("the reader of a latency run failed");
    }
    for (std::uint64_t i = 0; i < count; ++i) {
        made.latency->record(shared->latencies_ns[i]);
    }
    return made;
}

// A ring of slots with one writer and one reader. The word of the next slot is zeroed before a
// frame is committed, as the journal does; the reader's position keeps the writer from overtaking.
class frame_ring {
  public:
    explicit frame_ring(std::size_t payload_bytes)
        : slot_bytes_(raw::padded(raw::header_bytes + payload_bytes)),
          memory_(mapping::anonymous(slots * slot_bytes_ + 128)),
          read_(new(memory_.data() + slots * slot_bytes_ + 64) std::atomic<std::uint64_t>(0)) {}

    void write(std::uint64_t sequence, std::span<const std::byte> payload) noexcept {
        while (sequence - seen_read_ >= slots - 1) {
            seen_read_ = read_->load(std::memory_order_acquire);
        }
        auto* at = slot(sequence);
        const auto word = raw::write_uncommitted(at, epoch, offset(sequence), sequence, 0,
                                                 scale_.unix_ns(), payload, {});
        commit_word(slot(sequence + 1)).store(0, std::memory_order_relaxed);
        commit_word(at).store(word, std::memory_order_release);
    }

    // Spins for the frame, checks its hash, and returns its payload, valid until the next call.
    [[nodiscard]] std::span<const std::byte> read(std::uint64_t sequence) {
        auto* at = slot(sequence);
        std::uint64_t word = 0;
        do {
            word = commit_word(at).load(std::memory_order_acquire);
        } while (word == 0);
        const auto* header = reinterpret_cast<const raw::frame_header*>(at);
        const auto end = raw::padded(word & 0xffffff);
        if (header->sequence != sequence ||
            header->hash != raw::frame_hash(at, end, epoch, offset(sequence), word)) {
            throw failure("the memory ring passed a broken frame");
        }
        return {at + raw::header_bytes, (word & 0xffffff) - raw::header_bytes};
    }
    void release(std::uint64_t sequence) noexcept {
        read_->store(sequence + 1, std::memory_order_release);
    }

  private:
    static constexpr std::uint64_t slots = 8192;

    [[nodiscard]] std::uint64_t offset(std::uint64_t sequence) const noexcept {
        return (sequence % slots) * slot_bytes_;
    }
    [[nodiscard]] std::byte* slot(std::uint64_t sequence) const noexcept {
        return memory_.data() + offset(sequence);
    }
    [[nodiscard]] static std::atomic_ref<std::uint64_t> commit_word(std::byte* at) noexcept {
        return std::atomic_ref(reinterpret_cast<raw::frame_header*>(at)->commit_word);
    }

    std::size_t slot_bytes_;
    mapping memory_;
    std::atomic<std::uint64_t>* read_;
    std::uint64_t seen_read_ = 0;
    tick_scale scale_ = tick_scale::get();
};

struct paced_load {
    std::size_t payload_bytes;
    double rate;
    std::uint64_t count;
};

contender ring(const options& asked, const paced_load& load, reader_is where) {
    const auto run = [&asked, load, where]() -> sample {
        shared_block shared(load.count);
        frame_ring frames(load.payload_bytes);
        const auto write = [&] {
            std::vector<std::byte> payload(load.payload_bytes);
            histogram own;
            paced(load.rate, load.count, own, [&](std::uint64_t i, std::uint64_t intended) {
                stamp(payload, intended);
                frames.write(i, payload);
            });
        };
        const auto read = [&] {
            const auto& scale = tick_scale::get();
            shared->ready.store(1, std::memory_order_release);
            for (std::uint64_t i = 0; i < load.count; ++i) {
                const auto intended = stamped(frames.read(i));
                shared->latencies_ns[i] = scale.to_ns(ticks_since(intended));
                frames.release(i);
            }
        };
        return run_pair(asked, where, load.count, shared, write, read);
    };
    return {.name = "floor",
            .payload_bytes = load.payload_bytes,
            .options = "memory ring of 8192 slots, the same frame, hash checked by the reader",
            .run = run,
            .threads = 2};
}

contender journal(const std::filesystem::path& scratch, const options& asked,
                  const paced_load& load, reader_is where) {
    auto options = one_segment_options(asked);
    // In service, background threads compete with the spinning reader for its core; here the
    // population is done before the start.
    const auto run = [&asked, scratch, load, where, options]() -> sample {
        shared_block shared(load.count);
        fresh_journal fresh(scratch / "pawl", options);
        fresh.wait_until_populated();
        const auto write = [&] {
            std::vector<std::byte> payload(load.payload_bytes);
            histogram own;
            paced(load.rate, load.count, own, [&](std::uint64_t, std::uint64_t intended) {
                stamp(payload, intended);
                must(fresh.writer().append(firehose, payload), "append");
            });
        };
        const auto read = [&] {
            const auto& scale = tick_scale::get();
            auto events =
                must(pawl::cursor::open(fresh.directory(),
                                        {.follow = true, .wait = pawl::wait_strategy::spin}),
                     "open a cursor");
            shared->ready.store(1, std::memory_order_release);
            for (std::uint64_t i = 0; i < load.count; ++i) {
                const pawl::event* next = events.next();
                while (next == nullptr) {
                    must(events.wait(std::chrono::seconds(10)), "wait for an event");
                    next = events.next();
                }
                shared->latencies_ns[i] = scale.to_ns(ticks_since(stamped(next->payload())));
            }
        };
        return run_pair(asked, where, load.count, shared, write, read);
    };
    return {.name = "pawl",
            .payload_bytes = load.payload_bytes,
            .keeps = pawl_memory_guarantees,
            .options = describe(options) + ", cursor that spins",
            .run = run,
            .threads = 2};
}

void ask_pair(context& run, const std::filesystem::path& scratch, reader_is where) {
    const auto bytes = run.loads.front().events.mean_bytes();
    const double rate = run.rates.front();
    const paced_load load{std::max<std::size_t>(bytes, 8), rate,
                          static_cast<std::uint64_t>(rate * (run.asked.quick ? 0.2 : 2.0))};
    const auto name = fmt::format("{}, {:.0f} k/s, {} bytes",
                                  where == reader_is::thread ? "two threads" : "two processes",
                                  rate / 1000, load.payload_bytes);
    contest pairs("latency");
    auto bare = ring(run.asked, load, where);
    bare.variant = name;
    auto own = journal(scratch, run.asked, load, where);
    own.variant = name;
    const auto floor = pairs.add(std::move(bare));
    const auto id = pairs.add(std::move(own));
    pairs.run(run.asked.few_rounds(), 1, run.progress);
    run.found.rows.push_back(pairs.line(floor, {{floor}}, figure::p50));
    run.found.rows.push_back(pairs.line(id, {{floor}}, figure::p50));
    run.found.verdicts.push_back(
        pairs.judge("p50 from writer to reader, " + name + ", against a bare memory ring", id,
                    {{floor}}, figure::p50, 1.3));
}

}  // namespace

void ask_latency(context& run) {
    if (run.asked.cores.size() < 2) {
        throw failure("writer and reader need a core each");
    }
    const scratch_directory scratch(run.asked.directory);
    ask_pair(run, scratch.path(), reader_is::thread);
    ask_pair(run, scratch.path(), reader_is::process);
}

}  // namespace bench
