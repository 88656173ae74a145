// Has every allocation of a call fail, one after the other.
#pragma once

#include "allocation_hook.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/error.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::test {

// Refuses allocations while it lives: the n-th from now on, and all after it if `for_good`. Neither
// assertions nor messages meanwhile: they allocate.
class refused_allocation {
  public:
    explicit refused_allocation(std::int64_t number, bool for_good = false) noexcept {
        failing_allocations.for_good = for_good;
        failing_allocations.countdown = number;
        failing_allocations.refused = 0;
        failing_allocations.armed = true;
    }
    refused_allocation(const refused_allocation&) = delete;
    refused_allocation& operator=(const refused_allocation&) = delete;
    ~refused_allocation() { failing_allocations.armed = false; }
    [[nodiscard]] static bool happened() noexcept { return failing_allocations.refused != 0; }
};

// Prepares and calls until no allocation of the call is left to be refused, alone or with all that
// follow it; how many calls met one. For a call that takes long, every step-th.
template <class Prepare, class Call>
std::uint64_t refuse_each_allocation(const Prepare& prepare, const Call& call,
                                     std::int64_t step = 1) {
    std::uint64_t refused = 0;
    for (const bool for_good : {false, true}) {
        for (std::int64_t number = 0;; number += step) {
            prepare();
            {
                const refused_allocation refusing{number, for_good};
                call();
            }
            if (!refused_allocation::happened())
                break;
            ++refused;
        }
    }
    return refused;
}

// Keeps the first answer that running out of memory does not explain. Any thread.
class answers {
  public:
    // `also`: errors that follow from having run out before.
    explicit answers(std::initializer_list<errc> also = {}) : explained_{also} {}

    template <class T>
    void heed(const result<T>& outcome) noexcept {
        if (!outcome)
            heed(outcome.error());
    }
    void heed(const error& why) noexcept {
        if (why.code == errc::out_of_memory || std::ranges::count(explained_, why.code) != 0)
            return;
        if (found_.fetch_add(1) == 0) {
            code_ = why.code;
            os_error_ = why.os_error;
            reason_ = why.reason;
        }
    }
    // Empty if there was none. Only once no other thread heeds.
    [[nodiscard]] std::string unexplained() const {
        if (found_ == 0)
            return {};
        return error{.code = code_, .os_error = os_error_, .reason = reason_}.message();
    }

  private:
    std::vector<errc> explained_;
    std::atomic<std::uint64_t> found_{0};
    errc code_{};
    int os_error_ = 0;
    std::string_view reason_{};
};

inline void check_refusals(std::uint64_t refused, std::uint64_t at_least) {
#if PAWL_ALLOCATION_HOOK
    CHECK(refused >= at_least);
#else
    (void)refused;
    (void)at_least;
    WARN("skipped: a sanitizer has replaced malloc");
#endif
}

}  // namespace pawl::test
