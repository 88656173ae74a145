// One example for each row of codec/EVOLUTION.md. The event is always `e.event`.
#pragma once

#include <span>
#include <string_view>

struct evolution_case {
    std::string_view change;  // the row's first column
    std::string_view before;  // what of the schema is changed
    std::string_view after;
    std::string_view old_event;                      // JSON, as the schema before prints it
    std::string_view new_event;                      // and after
    std::string_view around = "table event { %; }";  // % stands for `before` or `after`
};

[[nodiscard]] std::span<const evolution_case> evolution_cases() noexcept;
