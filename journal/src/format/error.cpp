#include <pawl/journal/error.hpp>

#include <cstring>
#include <utility>

namespace pawl {

std::string_view to_string(errc code) noexcept {
    // No default, so that a new kind without a name does not compile.
    switch (code) {
        case errc::invalid_argument:
            return "invalid_argument";
        case errc::too_large:
            return "too_large";
        case errc::conflict:
            return "conflict";
        case errc::busy:
            return "busy";
        case errc::not_found:
            return "not_found";
        case errc::closed:
            return "closed";
        case errc::forked:
            return "forked";
        case errc::not_a_journal:
            return "not_a_journal";
        case errc::newer_format:
            return "newer_format";
        case errc::locked:
            return "locked";
        case errc::missing_segment:
            return "missing_segment";
        case errc::network_file_system:
            return "network_file_system";
        case errc::damaged:
            return "damaged";
        case errc::diverged:
            return "diverged";
        case errc::rewound:
            return "rewound";
        case errc::malformed:
            return "malformed";
        case errc::unknown_event:
            return "unknown_event";
        case errc::io:
            return "io";
        case errc::disk_full:
            return "disk_full";
        case errc::back_pressure:
            return "back_pressure";
        case errc::poisoned:
            return "poisoned";
        case errc::out_of_memory:
            return "out_of_memory";
        case errc::timed_out:
            return "timed_out";
        case errc::no_descriptors:
            return "no_descriptors";
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
    const auto add_number = [&](const char* name, std::uint64_t value) {
        if (value != no_value)
            add(name + std::to_string(value));
    };
    add_number("sequence ", sequence);
    add_number("stream ", stream);
    add_number("actual version ", actual_version);
    add_number("expected version ", expected_version);
    add_number("event of the batch ", batch_event);
    add_number("size ", size);
    add_number("limit ", limit);
    if (cause != errc{})
        add("the first failure was " + std::string{to_string(cause)});
    if (!reason.empty())
        text.append(": ").append(reason);
    if (!detail.empty())
        text.append(": ").append(detail);
    if (os_error != 0) {
        text += ": ";
        text += std::strerror(os_error);  // NOLINT(concurrency-mt-unsafe): glibc's is
    }
    return text;
}

}  // namespace pawl
