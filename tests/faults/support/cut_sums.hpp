// The combined results of several processes that try cuts.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace pawl::test {

struct cut_sums {
    std::atomic<std::uint64_t> cuts{0};
    std::atomic<std::uint64_t> missing{0};
    std::atomic<std::uint64_t> torn{0};
    std::atomic<std::uint64_t> went_on{0};
    std::atomic<bool> failed{false};
    std::array<char, 900> why{};

    // Made in memory that children share.
    [[nodiscard]] static cut_sums& shared();
    // Only the first one counts.
    void fail(const std::string& what) noexcept;
};

}  // namespace pawl::test
