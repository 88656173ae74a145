// The sink for NATS JetStream: publishes asynchronously, several messages ahead of their
// acknowledgements. Every message names the stream sequence before it, so the server stores it
// directly after the event before, or not at all. Message ids are not used: the server would look
// at the id before the sequence, and a duplicate that it only believes to be stored would be
// acknowledged.
#pragma once

#include "relay/nats_stream.hpp"
#include "relay/sink.hpp"

#include <memory>
#include <optional>

namespace pawl::relay {

class nats_sink final : public sink {
  public:
    nats_sink(nats_options options, const journal_facts& journal);
    ~nats_sink() override;

    [[nodiscard]] result<stored_end> open() override;
    [[nodiscard]] result<std::optional<stored_event>> find(sequence_number sequence) override;
    [[nodiscard]] result<void> publish(sequence_number sequence,
                                       const event_message& message) override;
    [[nodiscard]] result<sequence_number> confirmed(sequence_number above,
                                                    std::chrono::milliseconds timeout) override;

  private:
    struct acknowledgements;

    [[nodiscard]] result<void> make_room(std::uint64_t bytes);
    void end_connection();

    nats_options options_;
    journal_facts journal_;
    std::optional<nats_stream> stream_;
    context_handle publishing_;
    acknowledgements* current_ = nullptr;
};

}  // namespace pawl::relay
