// What a journal must hold, according to the test that appended to it: the events in order, and how
// many of them were acknowledged as durable.
#pragma once

#include <pawl/journal/event.hpp>
#include <pawl/journal/types.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pawl::test {

inline constexpr std::size_t oracle_streams = 4;  // numbers 1 to 4; 0 means no stream

struct expected_event {
    std::uint64_t id = 0;  // unique within a history
    std::uint32_t bytes = 0;
    std::uint16_t type = 0;
    std::uint16_t stream = 0;
    bool more_in_batch = false;
};

class event_oracle {
  public:
    // Payloads follow from the event's number. Some are all zero, so that they look like unwritten
    // space.
    [[nodiscard]] expected_event make(std::uint32_t bytes, std::uint16_t stream) noexcept;
    [[nodiscard]] static std::span<const std::byte> payload(const expected_event& event);

    void published(const expected_event& event);
    // Withdraws the last one, which was not published after all.
    void withdrawn() noexcept { events_.pop_back(); }
    // Everything below this was acknowledged as durable.
    void acknowledged(sequence_number durable) noexcept;
    // A recovery continued at `next`; the events from there on are gone.
    void recovered(sequence_number next);

    [[nodiscard]] sequence_number next() const noexcept { return events_.size(); }
    [[nodiscard]] sequence_number durable() const noexcept { return durable_; }
    [[nodiscard]] std::uint64_t version(std::size_t stream) const noexcept;

    // The reason why a journal must not continue at `next`; empty if it may.
    [[nodiscard]] std::string fault_of(sequence_number next) const;
    // The reason why the event is not the one that was appended; empty if it is.
    [[nodiscard]] std::string fault_of(const event& found) const;

    // A recovery kept these files, named relative to the journal's directory. They must not change.
    void kept(const std::filesystem::path& directory, const std::vector<std::string>& names);
    // Which of them is gone or changed; empty if none is.
    [[nodiscard]] std::string fault_of_kept(const std::filesystem::path& directory) const;

  private:
    std::map<std::string, std::vector<std::byte>> kept_;
    std::vector<expected_event> events_;
    sequence_number durable_ = 0;
    std::uint64_t next_id_ = 1;
};

}  // namespace pawl::test
