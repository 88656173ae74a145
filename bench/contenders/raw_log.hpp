#pragma once

// Inlines xxHash into the loop, as the journal does: a call to the shared library costs more than
// the hash of a small event.
#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include "measure/clock.hpp"

#include <xxhash.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

// The floor: the least work that writes the bytes of Pawl's format to memory and reads them back
// checked. No bounds check, no rollover, no stream table, no expectation, no receipt, no error;
// only the bytes that a reader of the format needs. Without any one line, the bytes are wrong, or a
// reader in another thread may see half of them.
namespace bench::raw {

// The frame's header as in the file; payload and zero padding to 8 bytes follow.
struct frame_header {
    std::uint64_t commit_word;  // bytes:24 | flags:8 | type:16 | schema version:16, stored last
    std::uint64_t hash;
    std::uint32_t back;
    std::uint32_t witness;
    std::uint64_t sequence;
    std::uint64_t timestamp_ns;
    std::uint64_t stream;
    std::uint64_t version;
};
static_assert(sizeof(frame_header) == 56);
inline constexpr std::size_t header_bytes = sizeof(frame_header);
// The content hash covers everything from the sequence on.
inline constexpr std::size_t content_from = 24;

// The finaliser of MurmurHash3.
[[nodiscard]] constexpr std::uint64_t fmix64(std::uint64_t k) noexcept {
    k ^= k >> 33;
    k *= 0xff51afd7ed558ccdULL;
    k ^= k >> 33;
    k *= 0xc4ceb9fe1a85ec53ULL;
    k ^= k >> 33;
    return k;
}

[[nodiscard]] constexpr std::uint64_t place_hash(std::uint64_t epoch, std::uint64_t offset,
                                                 std::uint64_t link) noexcept {
    return fmix64(fmix64(epoch + offset * 0x9e3779b97f4a7c15ULL) ^ link);
}

[[nodiscard]] constexpr std::size_t padded(std::size_t bytes) noexcept {
    return (bytes + 7) & ~std::size_t{7};
}

// The hash of the frame of `end` padded bytes at `at`; its commit word need not be stored yet.
[[nodiscard]] inline std::uint64_t frame_hash(const std::byte* at, std::size_t end,
                                              std::uint64_t epoch, std::uint64_t offset,
                                              std::uint64_t word) noexcept {
    std::uint64_t link = 0;
    std::memcpy(&link, at + offsetof(frame_header, back), sizeof link);
    return XXH3_64bits(at + content_from, end - content_from) ^ fmix64(word) ^
           place_hash(epoch, offset, link);
}

// The fields of an event that the caller chooses.
struct event_fields {
    std::uint64_t stream = 0;
    std::uint64_t version = 0;
    std::uint32_t back = 0;
    std::uint16_t type = 1;
    std::uint16_t schema_version = 1;
};

// Writes the whole frame except its commit word, which it returns for the caller to store. The
// memory ring also uses this: it must zero the word after the frame before it commits.
inline std::uint64_t write_uncommitted(std::byte* at, std::uint64_t epoch, std::uint64_t offset,
                                       std::uint64_t sequence, std::uint64_t durable,
                                       std::uint64_t timestamp_ns,
                                       std::span<const std::byte> payload,
                                       const event_fields& fields) noexcept {
    const std::size_t bytes = header_bytes + payload.size();
    const std::size_t end = padded(bytes);
    const std::uint64_t word =
        bytes | (std::uint64_t{fields.type} << 32) | (std::uint64_t{fields.schema_version} << 48);
    // One store at the frame's end zeroes the padding, before the bytes that overlap it are
    // written.
    const std::uint64_t zero = 0;
    std::memcpy(at + end - 8, &zero, 8);
    auto* header = reinterpret_cast<frame_header*>(at);
    // One store: after two, the hash's wider load would stall on store forwarding.
    const std::uint64_t link = fields.back | (sequence - durable) << 32;
    std::memcpy(&header->back, &link, sizeof link);
    header->sequence = sequence;
    header->timestamp_ns = timestamp_ns;
    header->stream = fields.stream;
    header->version = fields.version;
    std::memcpy(at + header_bytes, payload.data(), payload.size());
    header->hash = frame_hash(at, end, epoch, offset, word);
    return word;
}

// Appends frames to memory that the caller has populated and that is large enough.
class writer {
  public:
    writer(std::byte* base, std::uint64_t epoch) : base_(base), epoch_(epoch) {}

    void append(std::span<const std::byte> payload, const event_fields& fields = {}) noexcept {
        std::byte* at = base_ + offset_;
        const auto word = write_uncommitted(at, epoch_, offset_, sequence_,
                                            durable_.load(std::memory_order_relaxed),
                                            scale_.unix_ns(), payload, fields);
        auto& commit_word = reinterpret_cast<frame_header*>(at)->commit_word;
        std::atomic_ref(commit_word).store(word, std::memory_order_release);
        offset_ += padded(header_bytes + payload.size());
        ++sequence_;
    }

    [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }
    [[nodiscard]] std::size_t offset() const noexcept { return static_cast<std::size_t>(offset_); }
    // A flusher advances this from its own thread; every frame stores its distance to it.
    void set_durable(std::uint64_t sequence) noexcept {
        durable_.store(sequence, std::memory_order_relaxed);
    }

  private:
    std::byte* base_;
    std::uint64_t epoch_;
    std::uint64_t offset_ = 0;
    std::uint64_t sequence_ = 0;
    std::atomic<std::uint64_t> durable_{0};
    // A copy: through a reference, the compiler must reload the scale after every store of bytes.
    tick_scale scale_ = tick_scale::get();
};

// Why a raw read stopped.
enum class stopped { at_limit, at_zero_word, short_of_bytes, at_broken_frame };

struct read_totals {
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::uint64_t digest = 0;  // sum of the events' first payload words: proof that they were read
    stopped why = stopped::at_limit;

    void add(const read_totals& more) noexcept {
        events += more.events;
        bytes += more.bytes;
        digest += more.digest;
        why = more.why;
    }
};

// Reads up to `limit` frames from `offset` on; checks each hash and sums up one word of each
// payload. Leaves `offset` after the last frame read. `frames` starts at byte `base` of its
// segment. System frames (flag bit 0) are checked but not counted.
[[nodiscard]] inline read_totals read(std::span<const std::byte> frames, std::uint64_t epoch,
                                      std::uint64_t base, std::size_t& offset,
                                      std::uint64_t limit) noexcept {
    read_totals totals;
    while (totals.events < limit) {
        if (frames.size() - offset < header_bytes) {
            totals.why = stopped::short_of_bytes;
            break;
        }
        const std::byte* at = frames.data() + offset;
        auto* header = reinterpret_cast<const frame_header*>(at);
        // C++23 has no atomic_ref to const, so cast it away; the word is only loaded.
        const auto word = std::atomic_ref(const_cast<std::uint64_t&>(header->commit_word))
                              .load(std::memory_order_acquire);
        if (word == 0) {
            totals.why = stopped::at_zero_word;
            break;
        }
        const std::size_t end = padded(word & 0xffffff);
        if (end > frames.size() - offset) {
            totals.why = stopped::short_of_bytes;
            break;
        }
        if (end < header_bytes || header->hash != frame_hash(at, end, epoch, base + offset, word)) {
            totals.why = stopped::at_broken_frame;
            break;
        }
        if ((word >> 24 & 1) == 0) {
            std::uint64_t first = 0;
            if (end >= header_bytes + 8) {
                std::memcpy(&first, at + header_bytes, 8);
            }
            ++totals.events;
            totals.bytes += end;
            totals.digest += first ^ header->sequence;
        }
        offset += end;
    }
    return totals;
}

}  // namespace bench::raw
