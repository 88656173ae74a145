// The seam between the relay and a distributed log: what the relay asks of one.
//
// Open says what the log holds, read from whoever decides its order, and fences off what an earlier
// open, here or in another process, may still have in flight: from then on an event enters the log
// only directly after the one before it. So a publisher that crashed, was overtaken or lost its
// connection cannot cause a gap, a duplicate or a swap, whatever the network delivers late.
//
// Errors of three kinds: `conflict` (the log refused an event, because it does not hold the one
// before), `io` and `timed_out` pass, and open() again finds out what is stored. Any other ends the
// relay. One thread at a time uses a sink.
#pragma once

#include "relay/event_message.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace pawl::relay {

// The end of what a log holds.
struct stored_end {
    sequence_number next = 0;        // the first sequence that is not stored
    std::uint64_t content_hash = 0;  // of event next - 1
    bool more_in_batch = false;      // the same
    bool empty = true;               // nothing was ever stored; any sequence may be the first
};

[[nodiscard]] constexpr bool may_pass(errc code) noexcept {
    return code == errc::conflict || code == errc::io || code == errc::timed_out;
}

class sink {
  public:
    sink() = default;
    sink(const sink&) = delete;
    sink& operator=(const sink&) = delete;
    virtual ~sink() = default;

    // Begins, or begins again after an error that may pass.
    [[nodiscard]] virtual result<stored_end> open() = 0;
    // The event with this sequence, to explain what differs; nothing if the log does not hold it.
    [[nodiscard]] virtual result<std::optional<stored_event>> find(sequence_number sequence) = 0;
    // Hands over the event after the last one, and waits while too many are not confirmed yet. The
    // message is not used after the call. too_large, with both sizes in bytes, if the log takes no
    // message of that size.
    [[nodiscard]] virtual result<void> publish(sequence_number sequence,
                                               const event_message& message) = 0;
    // Every event below the returned sequence is stored, as safely as the log was asked to. Waits
    // up to `timeout` for that to be more than `above`. Before anything is confirmed: 0.
    [[nodiscard]] virtual result<sequence_number> confirmed(sequence_number above,
                                                            std::chrono::milliseconds timeout) = 0;
};

}  // namespace pawl::relay
