// Makes a journal out of a stream, once or continuously, and makes such a copy the writer.
#pragma once

#include "relay/nats_stream.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>

namespace pawl::relay {

struct copy_options {
    nats_options nats{};
    std::filesystem::path directory{};
    // False: end with the last event that the stream held at the start. True: stay in step.
    bool follow = false;
    // Give up if no event came for so long, although errors could pass; 0: never.
    std::chrono::milliseconds give_up{0};
    bool allow_network_file_system = false;
    std::function<bool()> stop{};                    // asked often; true: end
    std::function<void(const error&)> on_failure{};  // that may pass; it tries again
};

struct copy_report {
    journal_id id{};
    journal_id origin{};
    sequence_number first = 0;  // the first event that was copied now
    sequence_number next = 0;   // of the copy
    std::uint64_t incomplete =
        0;  // events after it, of a batch that the stream does not hold whole
};

// Goes on with what an earlier call has left. Fails with invalid_argument if the stream does not
// hold the journal from its first event on, or the directory holds something else; diverged if the
// copy holds another event than the stream; damaged for a message that is not as it was published;
// not_found if there is no stream; and like writer::open.
[[nodiscard]] result<copy_report> copy_stream(const copy_options& options);

struct promotion {
    journal_id id{};
    sequence_number sequence = 0;  // of the *promoted* event
    std::uint64_t abandoned = 0;   // events before it, of a batch that never was whole
    bool was_there = false;        // an earlier call, which did not end, had published it
};

// Brings the copy up to date, publishes the *promoted* event directly after the last event of the
// stream, and appends it to the copy, which any program may open for writing from then on. The
// relay of the old writer stops at that event. Whoever else publishes meanwhile comes first, and
// this tries again. Fails like copy_stream.
[[nodiscard]] result<promotion> promote(const copy_options& options);

}  // namespace pawl::relay
