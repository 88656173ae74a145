// A whole, verified event as a reader sees it.
#pragma once

#include <pawl/journal/detail/frame.hpp>
#include <pawl/journal/metadata.hpp>
#include <pawl/journal/types.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace pawl {

// A view of one event in a mapped segment. Copying it never copies the payload. It is valid until
// the cursor that returned it moves on; copy the payload to keep it longer.
class event {
  public:
    event() = default;
    event(const std::byte* frame, log_position position, std::uint64_t content_hash,
          std::uint32_t metadata_bytes = 0, std::uint64_t names_digest = 0) noexcept
        : frame_{frame},
          position_{position},
          content_hash_{content_hash},
          names_digest_{names_digest},
          metadata_bytes_{metadata_bytes} {}

    [[nodiscard]] sequence_number sequence() const noexcept {
        return detail::load_u64(frame_ + detail::frame_offset::sequence);
    }
    // Nanoseconds since the Unix epoch, from the writer's clock: data, never an order.
    [[nodiscard]] std::uint64_t timestamp_ns() const noexcept {
        return detail::load_u64(frame_ + detail::frame_offset::timestamp);
    }
    [[nodiscard]] stream_id stream() const noexcept {
        return detail::load_u64(frame_ + detail::frame_offset::stream);
    }
    [[nodiscard]] stream_version version() const noexcept {
        return detail::load_u64(frame_ + detail::frame_offset::version);
    }
    [[nodiscard]] std::uint16_t type() const noexcept { return word().type(); }
    [[nodiscard]] std::uint16_t schema_version() const noexcept { return word().schema_version(); }

    // True for every event of a batch but its last.
    [[nodiscard]] bool more_in_batch() const noexcept {
        return (word().flags() & (detail::flag::batch_first | detail::flag::batch_middle)) != 0;
    }

    // 8-byte aligned.
    [[nodiscard]] std::span<const std::byte> payload() const noexcept {
        const std::size_t skip = detail::frame_header_bytes + metadata_bytes_;
        return {frame_ + skip, word().frame_bytes() - skip};
    }
    // What is known about the event besides what happened; empty if it carries nothing.
    [[nodiscard]] metadata_view metadata() const noexcept {
        return metadata_view{{frame_ + detail::frame_header_bytes, metadata_bytes_}};
    }

    // Covers all of the event but its position; the same in every copy of the journal.
    [[nodiscard]] std::uint64_t content_hash() const noexcept { return content_hash_; }
    // Covers its position as well.
    [[nodiscard]] std::uint64_t frame_hash() const noexcept {
        return detail::load_u64(frame_ + detail::frame_offset::hash);
    }
    // What the stream names between the previous event and this one add to the digest of the log
    // (log_digest); 0 for most events, and for a reader of one stream.
    [[nodiscard]] std::uint64_t names_digest() const noexcept { return names_digest_; }
    [[nodiscard]] log_position position() const noexcept { return position_; }
    // The log point of a reader that has read this event.
    [[nodiscard]] log_point point() const noexcept {
        return {sequence() + 1, content_hash_, frame_hash()};
    }

  private:
    [[nodiscard]] detail::commit_word word() const noexcept {
        return detail::commit_word{detail::load_u64(frame_)};
    }

    const std::byte* frame_ = nullptr;
    log_position position_{};
    std::uint64_t content_hash_ = 0;
    std::uint64_t names_digest_ = 0;
    std::uint32_t metadata_bytes_ = 0;
};

}  // namespace pawl
