// The events that a command led to, before they are in the journal.
#pragma once

#include <pawl/codec/decode.hpp>
#include <pawl/codec/encoder.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/journal/writer.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pawl {

struct decision_limits {
    std::uint32_t events = 65536;
    std::size_t bytes = std::size_t{8} << 20;  // of payloads, each rounded up to 8
};

// Collects encoded events, then puts them into a journal as one batch: all or none. Its memory is
// kept from one command to the next, so that deciding allocates nothing once it has grown. Used by
// one thread at a time.
class decision {
  public:
    explicit decision(decision_limits limits = {}) noexcept : limits_{limits} {}

    // Adds an event: what `build` returns says of which type. Fails with too_large where the
    // decision is full, and as encoder::encode.
    template <event_build Build>
    [[nodiscard]] result<void> append(const event_header& where, Build&& build) {
        auto payload = encoder_.encode(build);
        if (!payload) [[unlikely]]
            return std::unexpected(std::move(payload.error()));
        return add(header_of<detail::built_table<Build>>(where), payload->bytes);
    }

    [[nodiscard]] std::size_t size() const noexcept { return events_.size(); }
    [[nodiscard]] bool empty() const noexcept { return events_.empty(); }
    [[nodiscard]] const event_header& header(std::size_t index) const noexcept {
        return events_[index].header;
    }
    // Valid until the next append or clear.
    [[nodiscard]] typed_payload payload(std::size_t index) const noexcept;

    void clear() noexcept;

    // Publishes all events as one batch and returns the last one's receipt; the decision stays as
    // it is. Fails as writer::begin_batch, batch::append and batch::commit; nothing is published
    // then. An empty decision is invalid_argument.
    [[nodiscard]] result<receipt> append_to(writer& log) const noexcept;

  private:
    struct entry {
        event_header header;
        std::size_t word;   // where the payload starts in words_
        std::size_t bytes;  // its length
    };

    [[nodiscard]] result<void> add(const event_header& header, std::span<const std::byte> payload);

    decision_limits limits_;
    encoder encoder_;
    std::vector<entry> events_;
    std::vector<std::uint64_t> words_;  // payloads, each at a multiple of 8
};

}  // namespace pawl
