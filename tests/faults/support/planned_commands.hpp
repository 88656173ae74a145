// Commands that follow from a seed, and what a writer must remember of those that it was sent.
#pragma once

#include "support/generated_log.hpp"
#include "support/tag_model.hpp"

#include <fmt/format.h>

#include <pawl/journal/metadata.hpp>
#include <pawl/journal/tags.hpp>
#include <pawl/journal/types.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace pawl::test {

// A command follows from the seed and its number alone.
struct planned_command {
    static constexpr stream_id streams = 5;

    std::uint64_t number = 0;
    std::uint64_t seed = 0;
    std::uint32_t events = 0;  // 0: it is handled without any
    stream_id stream = 0;

    planned_command(std::uint64_t from_seed, std::uint64_t of)
        : number{of},
          seed{from_seed},
          events{static_cast<std::uint32_t>(draw(from_seed, of) % 4)},
          stream{1 + draw(from_seed, of) / 4 % streams} {}

    [[nodiscard]] message_id id() const {
        message_id made{};
        std::memcpy(made.data(), &number, sizeof number);
        return made;
    }
    [[nodiscard]] std::string bytes() const { return fmt::format("command {}", number); }
    [[nodiscard]] std::uint16_t type() const {
        return static_cast<std::uint16_t>(1 + number % tag_model::types);
    }
    [[nodiscard]] tag_set tags(std::uint32_t part) const {
        return events == 0 ? tag_set{} : tag_model::drawn_tags(draw(seed, ~(number * 4 + part)));
    }
    [[nodiscard]] std::uint32_t recorded_events() const { return std::max(events, 1U); }
    // Some are long, so that segments fill up.
    [[nodiscard]] std::string payload(std::uint32_t part) const {
        const std::size_t length = number % 7 == 0 && events != 0 ? 900 : 30;
        std::string text = fmt::format("command {} part {}", number, part);
        text.resize(length, '.');
        return text;
    }
};

[[nodiscard]] inline std::span<const std::byte> as_payload(std::string_view text) {
    return std::as_bytes(std::span{text.data(), text.size()});
}

// What the writer must know: the commands in the order of the log, and how long each stream is.
class command_model {
  public:
    static constexpr std::uint64_t window = 64;

    struct effect {
        std::uint64_t number = 0;
        sequence_number first = 0;
        std::uint32_t events = 0;
    };

    void took_effect(const planned_command& command, sequence_number first) {
        log_.push_back({command.number, first, command.recorded_events()});
        if (command.events != 0)
            versions_[command.stream] += command.events;
    }
    [[nodiscard]] const effect* remembered(std::uint64_t number) const {
        const std::size_t oldest = log_.size() > window ? log_.size() - window : 0;
        for (std::size_t at = log_.size(); at-- > oldest;) {
            if (log_[at].number == number)
                return &log_[at];
        }
        return nullptr;
    }
    [[nodiscard]] stream_version version(stream_id stream) const {
        const auto at = versions_.find(stream);
        return at == versions_.end() ? 0 : at->second;
    }
    [[nodiscard]] const std::deque<effect>& log() const { return log_; }

  private:
    std::deque<effect> log_;
    std::map<stream_id, stream_version> versions_;
};

}  // namespace pawl::test
