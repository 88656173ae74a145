// A connection to NATS and the JetStream stream that holds a journal, or is to hold one.
//
// A journal has one subject, pawl.journal.ID with the id of its origin, so a stream of another
// journal is recognised by its subject. Stream sequence = journal sequence + offset, fixed for the
// life of the stream by its first message. Single messages are read through the stream's leader,
// never from another replica, which may be behind.
#pragma once

#include "relay/nats_handles.hpp"
#include "relay/sink.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pawl::relay {

struct nats_options {
    std::vector<std::string> servers{};  // nats://HOST:PORT
    std::string stream{};
    std::string credentials{};  // a file with JWT and seed; empty: none
    // A stream that has fewer replicas is refused, and one that is created gets so many.
    std::uint32_t replicas = 1;
    std::chrono::milliseconds timeout{2000};   // of a request, and for an acknowledgement
    std::uint32_t window = 4096;               // messages that are not acknowledged yet
    std::uint64_t window_bytes = 16ull << 20;  // of them
};

// What a relay knows of the journal, for a stream that it creates or checks.
struct journal_facts {
    journal_id origin{};
    std::uint64_t segment_bytes = 0;
};

class nats_stream {
  public:
    // Connects and opens the stream; with `create`, creates one that does not exist, and refuses
    // with invalid_argument one that is of another journal, may drop messages, is not stored in
    // files, or has too few replicas. Without: not_found if there is none, invalid_argument if it
    // holds no journal. io or timed_out if the servers cannot be reached.
    [[nodiscard]] static result<nats_stream> open(const nats_options& options,
                                                  const std::optional<journal_facts>& create);

    [[nodiscard]] const journal_facts& journal() const noexcept { return journal_; }
    [[nodiscard]] const std::string& subject() const noexcept { return subject_; }
    [[nodiscard]] natsConnection* connection() const noexcept { return connection_.get(); }
    [[nodiscard]] const nats_options& options() const noexcept { return options_; }

    // What the leader holds. Empty only if the stream never held a message; diverged if the last
    // message is gone, by a purge or a deletion. Costs two requests.
    [[nodiscard]] result<stored_end> end();
    // The first sequence that is still there; end() must have returned that the stream holds some.
    [[nodiscard]] result<sequence_number> first();
    [[nodiscard]] result<std::optional<stored_event>> find(sequence_number sequence);

    // Of the stream sequence, once it holds a message or one is about to be the first.
    [[nodiscard]] std::optional<std::uint64_t> offset() const noexcept { return offset_; }
    void begin_with(sequence_number first) noexcept { offset_ = 1 - first; }

    // Publishes one message and waits until it is stored; conflict if the stream does not hold the
    // event before it, or holds more.
    [[nodiscard]] result<void> append(sequence_number sequence, const event_message& message);

  private:
    nats_stream() = default;
    [[nodiscard]] result<void> connect();
    [[nodiscard]] result<stream_info_handle> info();
    [[nodiscard]] result<void> add(const journal_facts& of);
    [[nodiscard]] result<void> check(const jsStreamConfig& config,
                                     const std::optional<journal_facts>& asked);

    nats_options options_;
    journal_facts journal_;
    std::string subject_;
    connection_handle connection_;
    context_handle context_;
    std::optional<std::uint64_t> offset_;
};

[[nodiscard]] std::string subject_of(const journal_id& origin);
[[nodiscard]] std::optional<journal_id> origin_in(std::string_view subject);

// A message to be published, which the stream must store directly after `stream_sequence` - 1.
[[nodiscard]] result<message_handle> to_nats(const event_message& message,
                                             const std::string& subject,
                                             std::uint64_t stream_sequence);
[[nodiscard]] result<stored_event> from_nats(natsMsg* message);
// What the server counts of a message against its limit: headers and body.
[[nodiscard]] std::uint64_t size_of(const event_message& message, std::uint64_t stream_sequence);

}  // namespace pawl::relay
