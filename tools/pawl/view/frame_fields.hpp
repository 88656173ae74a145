// An event's frame, byte by byte: what each field is, and what it says.
#pragma once

#include "events/journal_words.hpp"

#include <pawl/journal/event.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pawl::cli {

struct frame_field {
    std::size_t at = 0;  // in the frame
    std::size_t bytes = 0;
    std::string name{};
    std::string value{};
    std::string meaning{};
};

// Header, metadata, payload and padding: as long as the event is valid.
[[nodiscard]] std::span<const std::byte> frame_of(const event& e) noexcept;

// In the order of the frame, without a gap.
[[nodiscard]] std::vector<frame_field> fields_of_frame(const event& e, const journal_words& words);

}  // namespace pawl::cli
