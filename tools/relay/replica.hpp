// A journal that is made of the events of a stream: the same events, sequences, times, streams,
// names, versions, tags and batches, and so the same content digest. Its origin is the journal that
// was relayed, so log points and snapshots of the original are accepted.
#pragma once

#include "relay/event_message.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/journal/writer.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace pawl::relay {

struct replica_options {
    journal_id origin{};
    std::uint64_t segment_bytes = 0;  // for a new one: as the original, so that batches fit
    bool allow_network_file_system = false;
};

// One thread at a time uses a replica.
class replica {
  public:
    // Creates the journal, or goes on with one that was made so before. invalid_argument if the
    // directory holds a journal of another origin, or the original itself; else like writer::open.
    [[nodiscard]] static result<replica> open(const std::filesystem::path& directory,
                                              const replica_options& options);

    // The sequence of the event to be taken next.
    [[nodiscard]] sequence_number next() const noexcept {
        return log_.next_sequence() + pending_.size();
    }
    // The content hash of the last event that the journal holds; nothing if it holds none.
    [[nodiscard]] const std::optional<std::uint64_t>& last_content_hash() const noexcept {
        return last_;
    }
    // Events of a batch of which the last has not come.
    [[nodiscard]] std::uint64_t pending() const noexcept { return pending_.size(); }

    // Appends the event, or keeps it until its batch is whole. If a *promoted* event ends the
    // batch, the events before it never were: their sequences go to events of type *lost*. damaged
    // if it is not the next event or tears a batch apart, diverged if the copy gives it another
    // version in its stream.
    [[nodiscard]] result<void> take(stored_event e);
    // The events of a batch that is not whole are to come again.
    void forget_pending() noexcept { pending_.clear(); }

    [[nodiscard]] writer& log() noexcept { return log_; }
    [[nodiscard]] result<void> close() { return log_.close(); }

  private:
    explicit replica(writer log) noexcept : log_{std::move(log)} {}
    [[nodiscard]] result<void> record_before(const stored_event& e);
    [[nodiscard]] result<void> append_pending();
    [[nodiscard]] result<void> compare(const stored_event& e, const receipt& placed);

    writer log_;
    std::vector<stored_event> pending_{};
    std::optional<std::uint64_t> last_{};
};

}  // namespace pawl::relay
