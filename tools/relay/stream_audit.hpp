// Compares a stream with the journal that was relayed to it.
#pragma once

#include "relay/nats_stream.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

namespace pawl::relay {

enum class stream_fault : std::uint8_t {
    missing,  // the stream holds no message at the event's place
    damaged,  // the message is not as it was published
    changed,  // the message is of another event than the journal's
};
[[nodiscard]] std::string_view to_string(stream_fault fault) noexcept;

// Events that follow each other and have the same fault.
struct faulty_events {
    stream_fault fault{};
    sequence_number first = 0;
    sequence_number end = 0;  // exclusive
};

struct stream_audit {
    sequence_number first = 0;         // compared from here
    sequence_number next = 0;          // up to here, where the stream ends
    sequence_number journal_next = 0;  // where the durable part of the journal ends
    std::vector<faulty_events> faults{};
};

struct audit_options {
    std::filesystem::path directory{};
    bool allow_network_file_system = false;
    std::function<bool()> stop{};
};

// Reads the whole stream, and the journal's durable events beside it; compares content hashes, and
// those with the bytes of each message. A stream that only ends too early has no fault: the relay
// publishes the rest. Fails with invalid_argument for a stream of another journal, not_found if
// there is none or it is empty, io or timed_out if the servers stop to answer, and like
// cursor::open and cursor::finish.
[[nodiscard]] result<stream_audit> audit_stream(const nats_options& stream,
                                                const audit_options& options);

}  // namespace pawl::relay
