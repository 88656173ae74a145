// Reads the events of a stream in order.
#pragma once

#include "relay/nats_stream.hpp"

#include <chrono>
#include <optional>

namespace pawl::relay {

class nats_source {
  public:
    // Fails like nats_stream::open without creating, and with not_found if the stream is empty.
    [[nodiscard]] static result<nats_source> open(const nats_options& options);

    [[nodiscard]] nats_stream& stream() noexcept { return stream_; }
    // What the stream held when this was opened.
    [[nodiscard]] const stored_end& end() const noexcept { return end_; }

    // Goes to an event; the next one that is stored if it is not there.
    [[nodiscard]] result<void> seek(sequence_number sequence);
    // The next event after seek(), or nothing if none came in time. damaged, with the sequence that
    // belongs there, for a message that is not as it was published; reading may go on after it. io
    // if the connection is lost.
    [[nodiscard]] result<std::optional<stored_event>> next(std::chrono::milliseconds timeout);

  private:
    nats_source(nats_stream stream, const stored_end& end)
        : stream_{std::move(stream)}, end_{end} {}

    nats_stream stream_;
    stored_end end_;
    context_handle context_;
    subscription_handle events_;
};

}  // namespace pawl::relay
