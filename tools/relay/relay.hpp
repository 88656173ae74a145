// Publishes a journal's events to a sink, in order, each exactly once, and keeps on.
#pragma once

#include "relay/sink.hpp"

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace pawl::relay {

struct relay_options {
    std::filesystem::path directory{};
    // The consumer that holds back prunes, and what it says that it reads.
    std::string checkpoint{};
    std::string selection{};
    // With published, the sink may get events that a power cut takes from the journal.
    visibility show = visibility::durable;
    // True: end once everything that is in the journal now is confirmed.
    bool until_end = false;
    // Give up if nothing was confirmed for so long, although errors could pass; 0: never.
    std::chrono::milliseconds give_up{0};
    bool allow_network_file_system = false;
    std::function<bool()> stop{};                    // asked often; true: end
    std::function<void(const error&)> on_failure{};  // that may pass; the relay tries again
};

struct relay_report {
    sequence_number first = 0;    // the first event that this run published
    sequence_number next = 0;     // every event below it is confirmed
    std::uint64_t published = 0;  // messages, those that were published again included
    std::uint64_t opened = 0;     // times that the sink was opened
};

// Runs until it is stopped, or fails. Compares the last event that the sink holds with the
// journal's by content hash before it publishes anything, and again after each refusal and each
// lost connection. Its checkpoint moves only over events that are confirmed.
//
// Fails with diverged if the sink holds another event than the journal, and then publishes nothing;
// with pruned if events that the sink lacks are no longer in the journal; locked if another relay
// uses the checkpoint; too_large for an event that the sink cannot take; and like cursor::open,
// cursor::wait, consumer::commit and sink::open. A sink's errors that may pass end it only after
// `give_up`.
[[nodiscard]] result<relay_report> run_relay(sink& to, const relay_options& options);

}  // namespace pawl::relay
