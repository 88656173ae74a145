#include <pawl/journal/error.hpp>

#include <array>
#include <cstring>
#include <utility>

namespace pawl {

std::string_view to_string(errc code) noexcept {
    static constexpr std::array<std::pair<errc, std::string_view>, 23> names{{
        {errc::invalid_argument, "invalid_argument"},
        {errc::too_large, "too_large"},
        {errc::conflict, "conflict"},
        {errc::busy, "busy"},
        {errc::not_found, "not_found"},
        {errc::closed, "closed"},
        {errc::forked, "forked"},
        {errc::not_a_journal, "not_a_journal"},
        {errc::newer_format, "newer_format"},
        {errc::locked, "locked"},
        {errc::missing_segment, "missing_segment"},
        {errc::network_file_system, "network_file_system"},
        {errc::damaged, "damaged"},
        {errc::diverged, "diverged"},
        {errc::rewound, "rewound"},
        {errc::malformed, "malformed"},
        {errc::unknown_event, "unknown_event"},
        {errc::io, "io"},
        {errc::disk_full, "disk_full"},
        {errc::back_pressure, "back_pressure"},
        {errc::poisoned, "poisoned"},
        {errc::out_of_memory, "out_of_memory"},
        {errc::timed_out, "timed_out"},
    }};
    for (const auto& [value, name] : names) {
        if (value == code)
            return name;
    }
    return "unknown";
}

std::string error::message() const {
    std::string text{to_string(code)};
    std::string separator = ": ";
    const auto add = [&](const std::string& part) {
        text += separator + part;
        separator = ", ";
    };
    if (!file.empty())
        add(file);
    if (offset != no_value)
        add("byte " + std::to_string(offset));
    if (sequence != no_value)
        add("sequence " + std::to_string(sequence));
    if (actual_version != no_value)
        add("actual version " + std::to_string(actual_version));
    if (!detail.empty()) {
        text += ": " + detail;
    }
    if (os_error != 0) {
        text += ": ";
        text += std::strerror(os_error);  // NOLINT(concurrency-mt-unsafe): glibc's is
    }
    return text;
}

}  // namespace pawl
