#include "event_oracle.hpp"

#include "memory_files.hpp"

#include <fmt/core.h>

#include <pawl/journal/detail/frame.hpp>

#include <algorithm>
#include <cstring>

namespace pawl::test {

namespace {

constexpr std::size_t largest_payload = std::size_t{64} << 10;

// One long block of random bytes; a payload begins somewhere in it.
[[nodiscard]] const std::vector<std::byte>& noise() {
    static const std::vector<std::byte> made = [] {
        std::vector<std::byte> bytes(2 * largest_payload);
        for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t))
            detail::store_u64(bytes.data() + at, detail::mix64(at + 1));
        return bytes;
    }();
    return made;
}

[[nodiscard]] const std::vector<std::byte>& zeros() {
    static const std::vector<std::byte> made(largest_payload);
    return made;
}

}  // namespace

expected_event event_oracle::make(std::uint32_t bytes, std::uint16_t stream) noexcept {
    const std::uint64_t id = next_id_++;
    return {.id = id,
            .bytes = bytes,
            .type = static_cast<std::uint16_t>(1 + id % 3),
            .stream = stream,
            .more_in_batch = false};
}

std::span<const std::byte> event_oracle::payload(const expected_event& event) {
    constexpr std::uint64_t zero_every = 7;
    if (event.id % zero_every == 0)
        return std::span{zeros()}.first(event.bytes);
    return std::span{noise()}.subspan(detail::mix64(event.id) % largest_payload, event.bytes);
}

void event_oracle::published(const expected_event& event) {
    events_.push_back(event);
}

void event_oracle::acknowledged(sequence_number durable) noexcept {
    durable_ = std::max(durable_, durable);
}

void event_oracle::recovered(sequence_number next) {
    events_.resize(std::min<std::size_t>(next, events_.size()));
    durable_ = next;
}

void event_oracle::kept(const std::filesystem::path& directory,
                        const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        if (const auto file = memory_files::find((directory / name).native())) {
            const auto bytes = file->contents();
            kept_[name].assign(bytes.begin(), bytes.end());
        } else {
            kept_[name] = {};
        }
    }
}

std::string event_oracle::fault_of_kept(const std::filesystem::path& directory) const {
    for (const auto& [name, bytes] : kept_) {
        const auto file = memory_files::find((directory / name).native());
        if (file == nullptr)
            return "a file that an earlier recovery kept is gone: " + name;
        if (!std::ranges::equal(file->contents(), bytes))
            return "a file that an earlier recovery kept has changed: " + name;
    }
    return {};
}

std::uint64_t event_oracle::version(std::size_t stream) const noexcept {
    return static_cast<std::uint64_t>(
        std::ranges::count(events_, static_cast<std::uint16_t>(stream), &expected_event::stream));
}

std::string event_oracle::fault_of(sequence_number next) const {
    if (next < durable_)
        return fmt::format("lost: continues at {}, but {} were acknowledged as durable", next,
                           durable_);
    if (next > events_.size())
        return fmt::format("phantom: continues at {}, but only {} were published", next,
                           events_.size());
    if (next != 0 && events_[next - 1].more_in_batch)
        return fmt::format("split: continues at {}, inside a batch", next);
    return {};
}

std::string event_oracle::fault_of(const event& found) const {
    const sequence_number sequence = found.sequence();
    if (sequence >= events_.size())
        return fmt::format("phantom: event {} was never published", sequence);
    const expected_event& wanted = events_[sequence];
    if (found.type() != wanted.type || found.stream() != wanted.stream ||
        found.more_in_batch() != wanted.more_in_batch ||
        !std::ranges::equal(found.payload(), payload(wanted))) {
        return fmt::format("phantom: event {} is not the one that was published", sequence);
    }
    return {};
}

}  // namespace pawl::test
