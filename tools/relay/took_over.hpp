// Pawl's event *promoted*: a replica became the writer (journal/FORMAT.md).
#pragma once

#include "events/base64.hpp"

#include <pawl/journal/event.hpp>
#include <pawl/journal/types.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace pawl::relay {

inline constexpr auto promoted_type = static_cast<std::uint16_t>(reserved_type::promoted);
inline constexpr auto lost_type = static_cast<std::uint16_t>(reserved_type::lost);

struct takeover {
    journal_id by{};                // the replica's own id
    sequence_number abandoned = 0;  // the first event of a batch that was cut short; else its own
};

inline constexpr std::size_t takeover_bytes = sizeof(journal_id) + sizeof(sequence_number);

[[nodiscard]] inline std::array<std::byte, takeover_bytes> payload_of(const takeover& from) {
    std::array<std::byte, takeover_bytes> payload{};
    std::ranges::copy(std::as_bytes(std::span{from.by}), payload.begin());
    detail::store_u64(payload.data() + sizeof from.by, from.abandoned);
    return payload;
}

// Nothing if the event is of another type, or not of this form.
[[nodiscard]] inline std::optional<takeover> takeover_in(const event& e) {
    if (e.type() != promoted_type || e.payload().size() != takeover_bytes)
        return std::nullopt;
    takeover read;
    std::ranges::copy(e.payload().first(sizeof read.by),
                      std::as_writable_bytes(std::span{read.by}).begin());
    read.abandoned = detail::load_u64(e.payload().data() + sizeof read.by);
    return read;
}

[[nodiscard]] inline std::string hex_of(const journal_id& id) {
    std::string text;
    cli::append_hex(text, std::as_bytes(std::span{id}));
    return text;
}

}  // namespace pawl::relay
