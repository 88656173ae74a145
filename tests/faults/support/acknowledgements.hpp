// What was acknowledged to a writer's caller, and how far the disk's record had come by then: from
// this follows what may and what must be there after a cut. Lies in shared memory and outlives the
// writer's process.
#pragma once

#include <pawl/journal/types.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace pawl::test {

class acknowledgements {
  public:
    // Made in memory that children share.
    [[nodiscard]] static acknowledgements& shared();

    // The journal holds `next` events, all of them durable, and nothing is recorded yet.
    void reset(sequence_number next) noexcept;

    // The events below `end` are about to be published. False if there is no more room.
    [[nodiscard]] bool publishing(sequence_number end, std::uint64_t position) noexcept;
    // The events below `durable` were acknowledged as durable.
    [[nodiscard]] bool durable(sequence_number durable, std::uint64_t position) noexcept;
    void failed(const std::string& why) noexcept;
    void rolled_over(std::uint64_t times) noexcept { rollovers_ += times; }

    // How many events a cut of the disk's record at `position` must hold at least, and may hold at
    // most.
    [[nodiscard]] sequence_number needed_at(std::uint64_t position) const noexcept;
    [[nodiscard]] sequence_number possible_at(std::uint64_t position) const noexcept;
    // The position of the record at the index-th acknowledgement.
    [[nodiscard]] std::uint64_t durable_count() const noexcept { return durables_used_; }
    [[nodiscard]] std::uint64_t durable_position(std::uint64_t index) const noexcept {
        return durables_[index].position;
    }
    [[nodiscard]] std::string failure() const { return failed_ ? why_.data() : ""; }
    [[nodiscard]] std::uint64_t rollovers() const noexcept { return rollovers_; }

  private:
    struct mark {
        sequence_number sequence = 0;
        std::uint64_t position = 0;
    };
    static constexpr std::size_t most_marks = 1 << 14;
    using marks = std::array<mark, most_marks>;

    [[nodiscard]] static bool add(marks& to, std::atomic<std::uint64_t>& used, mark made) noexcept;

    sequence_number base_ = 0;
    std::atomic<std::uint64_t> published_used_{0};
    std::atomic<std::uint64_t> durables_used_{0};
    std::atomic<std::uint64_t> rollovers_{0};
    std::atomic<bool> failed_{false};
    std::array<char, 500> why_{};
    marks published_{};
    marks durables_{};
};

}  // namespace pawl::test
