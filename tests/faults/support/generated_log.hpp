// Events that follow from a seed and their sequence alone: a reader can check that each is the one
// that was written, without any information from the writer.
#pragma once

#include <pawl/journal/event.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/journal/writer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pawl::test {

// A bijective mixer of 64 bits: draws that need no state.
[[nodiscard]] std::uint64_t draw(std::uint64_t seed, std::uint64_t index) noexcept;

// Consecutive draws.
class random_source {
  public:
    explicit random_source(std::uint64_t seed) noexcept : seed_{seed} {}
    [[nodiscard]] std::uint64_t next() noexcept { return draw(seed_, count_++); }
    [[nodiscard]] std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }
    [[nodiscard]] bool one_in(std::uint64_t n) noexcept { return below(n) == 0; }

  private:
    std::uint64_t seed_;
    std::uint64_t count_ = 0;
};

class generated_log {
  public:
    static constexpr std::uint64_t named_streams = 8;

    enum class call : std::uint8_t { append, reservation, batch };
    // Events that are published together. A cut anywhere but between units has split one.
    struct unit {
        call made_with = call::append;
        std::uint32_t events = 1;
    };
    // Payload sizes: most are at most `usual`, one in 64 is up to `largest`.
    struct sizes {
        std::size_t usual = 200;
        std::size_t largest = 9000;
    };

    explicit generated_log(std::uint64_t seed) noexcept : generated_log{seed, sizes{}} {}
    generated_log(std::uint64_t seed, sizes how_large) noexcept
        : seed_{seed}, sizes_{how_large}, payload_(how_large.largest) {}

    [[nodiscard]] unit unit_at(sequence_number first) const noexcept;
    // The writer assigns the numbers of named streams; here they are 1000 + index.
    [[nodiscard]] stream_id stream_of(sequence_number sequence) const noexcept;
    [[nodiscard]] std::uint16_t type_of(sequence_number sequence) const noexcept;
    // Valid until the next call.
    [[nodiscard]] std::span<const std::byte> payload_of(sequence_number sequence) noexcept;

    // Appends the unit that belongs at the writer's next sequence. At times it first reserves or
    // begins a batch and abandons it, which must leave no trace.
    [[nodiscard]] result<receipt> append_unit(writer& log);

  private:
    [[nodiscard]] result<event_header> header_for(writer& log, sequence_number sequence);
    [[nodiscard]] result<receipt> append_batch(writer& log, std::uint32_t events);
    void leave_scribbles(writer& log, sequence_number sequence);

    std::uint64_t seed_;
    sizes sizes_;
    std::vector<std::byte> payload_;
    std::array<std::optional<stream_id>, named_streams> names_{};
};

// Reads a generated log back: feed it every event in order.
class generated_log_check {
  public:
    explicit generated_log_check(generated_log source) noexcept : source_{std::move(source)} {}

    // What is wrong with this event; empty if nothing is.
    [[nodiscard]] std::string check(const event& e);
    // From the next event on, the events are those of another seed: its writer continued where a
    // cut had left the log.
    void continue_with(generated_log source) noexcept { source_ = std::move(source); }
    // What is wrong if the log ends here: an incomplete unit.
    [[nodiscard]] std::string check_end() const;

    [[nodiscard]] sequence_number next_sequence() const noexcept { return next_; }
    [[nodiscard]] std::uint64_t batches() const noexcept { return batches_; }

  private:
    [[nodiscard]] std::string check_stream(const event& e);

    generated_log source_;
    sequence_number next_ = 0;
    sequence_number unit_end_ = 0;
    generated_log::unit unit_{};
    std::uint64_t batches_ = 0;
    std::map<stream_id, stream_version> versions_;
    std::map<stream_id, stream_id> named_;  // from the generator's numbers to the assigned ones
};

}  // namespace pawl::test
