// What a command that is sent again is answered, and how a refusal is recorded.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/journal/writer.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

namespace pawl::detail {

// A recorded refusal is its bytes after one that is 1; without it the command was not refused.
inline constexpr std::byte refused_mark{1};

template <class Refusal>
concept recordable_refusal =
    std::is_trivially_copyable_v<Refusal> && std::has_unique_object_representations_v<Refusal> &&
    std::is_default_constructible_v<Refusal> && sizeof(Refusal) < max_outcome_bytes;

template <recordable_refusal Refusal>
[[nodiscard]] auto outcome_of(const Refusal& refusal) noexcept {
    std::array<std::byte, sizeof(Refusal) + 1> bytes{refused_mark};
    std::memcpy(bytes.data() + 1, &refusal, sizeof refusal);
    return bytes;
}

// Nothing if the outcome is no refusal of this type.
template <recordable_refusal Refusal>
[[nodiscard]] std::optional<Refusal> refusal_in(std::span<const std::byte> outcome) noexcept {
    if (outcome.size() != sizeof(Refusal) + 1 || outcome[0] != refused_mark)
        return std::nullopt;
    Refusal refusal;
    std::memcpy(&refusal, outcome.data() + 1, sizeof refusal);
    return refusal;
}

// The events that a command led to.
struct earlier_events {
    std::uint64_t events = 0;
    receipt first{};
    receipt last{};
    // Of a command without events.
    std::array<std::byte, max_outcome_bytes> outcome{};
    std::size_t outcome_bytes = 0;
};

// Nothing if the writer does not remember the command. command_id_reused if it remembers another
// with this id.
[[nodiscard]] result<std::optional<earlier_events>> find_earlier(const writer& log,
                                                                 const command_reference& command);

}  // namespace pawl::detail
