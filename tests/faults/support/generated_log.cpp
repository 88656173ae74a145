#include "generated_log.hpp"

#include <fmt/core.h>

#include <pawl/journal/detail/frame.hpp>

#include <algorithm>
#include <cstring>

namespace pawl::test {

namespace {

constexpr stream_id name_base = 1000;

// The property of an event for which a draw is made.
enum class property : std::uint64_t { unit = 1, stream, type, size, bytes, scribbles };

[[nodiscard]] std::uint64_t draw_for(std::uint64_t seed, property what,
                                     sequence_number sequence) noexcept {
    return draw(seed + static_cast<std::uint64_t>(what) * 0x9e3779b97f4a7c15, sequence);
}

}  // namespace

std::uint64_t draw(std::uint64_t seed, std::uint64_t index) noexcept {
    return detail::mix64(seed ^ detail::mix64(index + 0x9e3779b97f4a7c15));
}

generated_log::unit generated_log::unit_at(sequence_number first) const noexcept {
    const std::uint64_t drawn = draw_for(seed_, property::unit, first);
    switch (drawn % 8) {
        case 0:
        case 1: {
            constexpr std::uint32_t most_events = 12;
            return {call::batch, 1 + static_cast<std::uint32_t>(drawn / 8 % most_events)};
        }
        case 2:
            return {call::reservation, 1};
        default:
            return {call::append, 1};
    }
}

stream_id generated_log::stream_of(sequence_number sequence) const noexcept {
    const std::uint64_t drawn = draw_for(seed_, property::stream, sequence);
    constexpr std::uint64_t numbered = 16;
    switch (drawn % 4) {
        case 0:
            return no_stream_id;
        case 1:
            return name_base + drawn / 4 % named_streams;
        default:
            return 1 + drawn / 4 % numbered;
    }
}

std::uint16_t generated_log::type_of(sequence_number sequence) const noexcept {
    return static_cast<std::uint16_t>(draw_for(seed_, property::type, sequence) % 5);
}

std::span<const std::byte> generated_log::payload_of(sequence_number sequence) noexcept {
    const std::uint64_t drawn = draw_for(seed_, property::size, sequence);
    const bool large = drawn % 64 == 0;
    const std::size_t bytes = drawn / 64 % ((large ? sizes_.largest : sizes_.usual) + 1);
    std::uint64_t word = draw_for(seed_, property::bytes, sequence);
    for (std::size_t at = 0; at < bytes; at += sizeof word) {
        std::memcpy(payload_.data() + at, &word, std::min(sizeof word, bytes - at));
        word += 0x9e3779b97f4a7c15;
        word ^= word >> 29;
    }
    return {payload_.data(), bytes};
}

result<event_header> generated_log::header_for(writer& log, sequence_number sequence) {
    stream_id stream = stream_of(sequence);
    if (stream >= name_base) {
        auto& known = names_[stream - name_base];
        if (!known) {
            auto given = log.stream(fmt::format("stream {}", stream - name_base));
            if (!given)
                return std::unexpected(std::move(given.error()));
            known = *given;
        }
        stream = *known;
    }
    return event_header{.type = type_of(sequence), .schema_version = 1, .stream = stream};
}

void generated_log::leave_scribbles(writer& log, sequence_number sequence) {
    const std::uint64_t drawn = draw_for(seed_, property::scribbles, sequence);
    if (drawn % 16 == 0) {
        if (auto space = log.reserve({.type = 99}, drawn / 16 % 1000 + 1)) {
            std::memset(space->payload().data(), 0x5a, space->payload().size());
            space->abandon();
        }
    } else if (drawn % 16 == 1) {
        if (auto dropped = log.begin_batch(3, 600)) {
            const std::array<std::byte, 100> filling{std::byte{0x77}};
            (void)dropped->append({.type = 98, .stream = 7}, filling);
            (void)dropped->append({.type = 98}, filling);
            dropped->abandon();
        }
    }
}

result<receipt> generated_log::append_unit(writer& log) {
    const sequence_number sequence = log.next_sequence();
    leave_scribbles(log, sequence);
    const unit made = unit_at(sequence);
    if (made.made_with == call::batch)
        return append_batch(log, made.events);
    auto header = header_for(log, sequence);
    if (!header)
        return std::unexpected(std::move(header.error()));
    const auto payload = payload_of(sequence);
    if (made.made_with == call::append)
        return log.append(*header, payload);
    auto space = log.reserve(*header, payload.size() + sequence % 100);
    if (!space)
        return std::unexpected(std::move(space.error()));
    if (!payload.empty())
        std::memcpy(space->payload().data(), payload.data(), payload.size());
    return space->commit(payload.size());
}

result<receipt> generated_log::append_batch(writer& log, std::uint32_t events) {
    const sequence_number first = log.next_sequence();
    std::vector<event_header> headers;
    std::size_t bytes = 0;
    for (std::uint32_t i = 0; i < events; ++i) {
        // Names are assigned before the batch opens, because each appends its own frame.
        auto header = header_for(log, first + i);
        if (!header)
            return std::unexpected(std::move(header.error()));
        headers.push_back(*header);
        bytes += detail::padded(payload_of(first + i).size());
    }
    auto together = log.begin_batch(events, bytes);
    if (!together)
        return std::unexpected(std::move(together.error()));
    for (std::uint32_t i = 0; i < events; ++i) {
        if (auto added = together->append(headers[i], payload_of(first + i)); !added)
            return added;
    }
    return together->commit();
}

std::string generated_log_check::check_stream(const event& e) {
    const stream_id wanted = source_.stream_of(next_);
    if (wanted < name_base) {
        if (e.stream() != wanted)
            return fmt::format("sequence {} is in stream {}, not {}", next_, e.stream(), wanted);
    } else {
        const auto [at, is_new] = named_.try_emplace(wanted, e.stream());
        const bool taken =
            is_new && std::ranges::count(named_, e.stream(),
                                         &std::pair<const stream_id, stream_id>::second) > 1;
        if (e.stream() < first_named_stream || at->second != e.stream() || taken)
            return fmt::format("sequence {} is in named stream {:x}, not {:x}", next_, e.stream(),
                               at->second);
    }
    const stream_version version = wanted == no_stream_id ? 0 : ++versions_[e.stream()];
    if (e.version() != version) {
        return fmt::format("sequence {} has version {} in its stream, not {}", next_, e.version(),
                           version);
    }
    return {};
}

std::string generated_log_check::check(const event& e) {
    if (e.sequence() != next_)
        return fmt::format("sequence {} instead of {}", e.sequence(), next_);
    if (next_ == unit_end_) {
        unit_ = source_.unit_at(next_);
        unit_end_ = next_ + unit_.events;
        batches_ += unit_.made_with == generated_log::call::batch ? 1U : 0U;
    }
    if (e.more_in_batch() != (next_ + 1 < unit_end_))
        return fmt::format("sequence {} has the wrong place in its batch", next_);
    if (e.type() != source_.type_of(next_) || e.schema_version() != 1)
        return fmt::format("sequence {} has the wrong type", next_);
    if (auto wrong = check_stream(e); !wrong.empty())
        return wrong;
    const auto wanted = source_.payload_of(next_);
    if (!std::ranges::equal(wanted, e.payload()))
        return fmt::format("sequence {} has the wrong payload", next_);
    ++next_;
    return {};
}

std::string generated_log_check::check_end() const {
    if (next_ == unit_end_)
        return {};
    return fmt::format("the log ends at sequence {}, inside a batch that ends at {}", next_,
                       unit_end_);
}

}  // namespace pawl::test
