#include <pawl/journal/error.hpp>

#include <cstring>
#include <new>
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
        case errc::repeated:
            return "repeated";
        case errc::command_id_reused:
            return "command_id_reused";
        case errc::forked:
            return "forked";
        case errc::not_a_journal:
            return "not_a_journal";
        case errc::newer_format:
            return "newer_format";
        case errc::locked:
            return "locked";
        case errc::pruned:
            return "pruned";
        case errc::unreadable_consumer:
            return "unreadable_consumer";
        case errc::missing_segment:
            return "missing_segment";
        case errc::network_file_system:
            return "network_file_system";
        case errc::foreign_owner:
            return "foreign_owner";
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

namespace {

[[nodiscard]] std::string message_of(const error& what) {
    std::string text{to_string(what.code)};
    std::string separator = ": ";
    const auto add = [&](const std::string& part) {
        text += separator + part;
        separator = ", ";
    };
    if (!what.file.empty())
        add(what.file);
    if (what.offset != no_value)
        add("byte " + std::to_string(what.offset));
    const auto add_number = [&](const char* name, std::uint64_t value) {
        if (value != no_value)
            add(name + std::to_string(value));
    };
    add_number("sequence ", what.sequence);
    add_number("stream ", what.stream);
    add_number("actual version ", what.actual_version);
    add_number("expected version ", what.expected_version);
    add_number("event of the batch ", what.batch_event);
    add_number("size ", what.size);
    add_number("limit ", what.limit);
    if (what.cause != errc{})
        add("the first failure was " + std::string{to_string(what.cause)});
    if (!what.reason.empty())
        text.append(": ").append(what.reason);
    if (!what.detail.empty())
        text.append(": ").append(what.detail);
    if (what.os_error != 0) {
        text += ": ";
        text += std::strerror(what.os_error);  // NOLINT(concurrency-mt-unsafe): glibc's is
    }
    return text;
}

}  // namespace

std::string error::message() const noexcept {
    try {
        return message_of(*this);
    } catch (const std::bad_alloc&) {
        return "out of memory";  // short enough not to allocate
    }
}

error detail::copy_of(const error& from) noexcept {
    try {
        return from;
    } catch (const std::bad_alloc&) {
        return error{.code = from.code,
                     .cause = from.cause,
                     .os_error = from.os_error,
                     .offset = from.offset,
                     .sequence = from.sequence,
                     .stream = from.stream,
                     .actual_version = from.actual_version,
                     .expected_version = from.expected_version,
                     .batch_event = from.batch_event,
                     .size = from.size,
                     .limit = from.limit,
                     .reason = from.reason};
    }
}

}  // namespace pawl
