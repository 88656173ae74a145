#include "upkeep/counter_board.hpp"

#include <algorithm>
#include <cstring>

namespace pawl::detail {

namespace {

[[nodiscard]] bool is_counter_name(std::string_view name) noexcept {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return !name.empty() && name.size() < counter_name_bytes && letter(name.front()) &&
           std::ranges::all_of(name, [&](char c) { return letter(c) || digit(c); });
}

}  // namespace

result<counter> counter_board::enter(std::string_view name, counter_kind kind) {
    if (!is_counter_name(name)) {
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .size = name.size(),
                  .limit = counter_name_bytes - 1,
                  .reason = "a counter's name must have 1 to 39 of a to z, 0 to 9 and _, and must "
                            "not begin with a digit"});
    }
    const std::scoped_lock guard{mutex_};
    for (std::size_t i = 0; i < used_; ++i) {
        if (slots_[i].name == name)
            return counter{slots_[i].value};
    }
    if (used_ == slots_.size()) {
        return std::unexpected(error{.code = errc::too_large,
                                     .size = used_ + 1,
                                     .limit = most_counters,
                                     .reason = "no more counters fit into the control file"});
    }
    slot& fresh = slots_[used_];
    fresh.name = name;
    fresh.kind = kind;
    ++used_;
    return counter{fresh.value};
}

void counter_board::put_into(control_statistics& statistics) const noexcept {
    const std::scoped_lock guard{mutex_};
    statistics.counters_used = used_;
    for (std::size_t i = 0; i < used_; ++i) {
        control_counter& to = statistics.counters[i];
        std::memcpy(to.name, slots_[i].name.data(), slots_[i].name.size());
        to.kind = static_cast<std::uint64_t>(slots_[i].kind);
        to.value = slots_[i].value.load(std::memory_order_relaxed);
    }
}

}  // namespace pawl::detail
