// An event's metadata: what is known about it besides what happened, such as the command that led
// to it. Entries of a tag and a value; journal/FORMAT.md, "Metadata".
//
//     const std::string_view who = "Ada";
//     const std::array entries{
//         pawl::metadata_entry{pawl::metadata_tag::actor, std::as_bytes(std::span{who})}};
//     auto placed = log.append({.type = 1, .stream = 42, .metadata = entries}, bytes);
//
// A reader asks event::metadata(): `if (auto who = e.metadata().actor()) ...`.
//
// All views are valid as long as the event that they come from.
#pragma once

#include <pawl/journal/detail/frame.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pawl {

// Pawl's own tags, which ascend within an event, each at most once. Tags up to 0x7fff that are not
// here are kept for later versions.
enum class metadata_tag : std::uint16_t {
    command = 1,      // 24 bytes: command_reference
    correlation = 2,  // 16 bytes: what it belongs to
    causation = 3,    // 16 bytes: what caused it
    trace = 4,        // trace_context: 25 bytes, then its state
    actor = 5,        // UTF-8: on whose behalf
    source_time = 6,  // 8 bytes, nanoseconds since the Unix epoch: when it happened elsewhere
    tags = 7,         // 1 to 16 numbers of 8 bytes, ascending, none 0
    subjects = 8,     // numbers of 8 bytes: whose keys seal a field of this event
};

// Tags from here on are the application's: metadata_tag{0x8001}.
inline constexpr std::uint16_t first_application_tag = 0x8000;

struct metadata_entry {
    metadata_tag tag{};
    std::span<const std::byte> value{};
    // A reader that does not know the tag must not use the event. Only for tags of Pawl's own.
    bool critical = false;
};

// The bytes that these entries take in a frame, in front of the payload.
[[nodiscard]] constexpr std::size_t metadata_bytes(
    std::span<const metadata_entry> entries) noexcept {
    std::size_t bytes = 0;
    for (const metadata_entry& entry : entries)
        bytes += detail::metadata_prefix_bytes + detail::padded(entry.value.size());
    return bytes;
}

using message_id = std::array<std::byte, 16>;

// Names the command that led to an event.
struct command_reference {
    message_id id{};
    std::uint64_t hash = 0;  // XXH3 of the command's bytes as the caller gave them

    friend constexpr bool operator==(const command_reference&, const command_reference&) = default;
};
static_assert(sizeof(command_reference) == 24);

// Names a command by an id that its sender chose, at random or to be unique otherwise, and by its
// bytes as the sender encoded them.
[[nodiscard]] command_reference reference_to(const message_id& id,
                                             std::span<const std::byte> bytes) noexcept;
// The entry that records `command`, to which it refers.
[[nodiscard]] inline metadata_entry entry_of(const command_reference& command) noexcept {
    return {.tag = metadata_tag::command, .value = std::as_bytes(std::span{&command, 1})};
}

// A W3C trace context.
struct trace_context {
    message_id trace{};
    std::array<std::byte, 8> parent{};
    std::uint8_t flags = 0;
    std::string_view state;  // tracestate, as text
};

// Numbers of 8 bytes.
class number_list {
  public:
    number_list() = default;
    explicit number_list(std::span<const std::byte> bytes) noexcept : bytes_{bytes} {}
    [[nodiscard]] std::size_t size() const noexcept {
        return bytes_.size() / sizeof(std::uint64_t);
    }
    [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
    [[nodiscard]] std::uint64_t operator[](std::size_t index) const noexcept {
        return detail::load_u64(bytes_.data() + index * sizeof(std::uint64_t));
    }
    [[nodiscard]] bool contains(std::uint64_t number) const noexcept {
        for (std::size_t i = 0; i < size(); ++i) {
            if ((*this)[i] == number)
                return true;
        }
        return false;
    }

  private:
    std::span<const std::byte> bytes_;
};

// The entries of one event, which a reader has checked. Finding one takes time proportional to
// their number.
class metadata_view {
  public:
    metadata_view() = default;
    // `bytes` are whole entries that were checked.
    explicit metadata_view(std::span<const std::byte> bytes) noexcept : bytes_{bytes} {}

    [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
    // As they lie in the frame.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

    // Calls visit(const metadata_entry&) for each entry, in the order in which they were given.
    template <class Visitor>
    void for_each(Visitor&& visit) const {
        for (std::size_t at = 0; at < bytes_.size();) {
            const metadata_entry entry = entry_at(at);
            at += detail::metadata_prefix_bytes + detail::padded(entry.value.size());
            visit(entry);
        }
    }
    // The value of the first entry with this tag.
    [[nodiscard]] std::optional<std::span<const std::byte>> find(metadata_tag tag) const noexcept {
        std::optional<std::span<const std::byte>> found;
        for_each([&](const metadata_entry& entry) {
            if (entry.tag == tag && !found)
                found = entry.value;
        });
        return found;
    }

    [[nodiscard]] std::optional<command_reference> command() const noexcept {
        const auto value = find(metadata_tag::command);
        if (!value)
            return std::nullopt;
        command_reference said;
        std::ranges::copy(value->first(said.id.size()), said.id.begin());
        said.hash = detail::load_u64(value->data() + said.id.size());
        return said;
    }
    [[nodiscard]] std::optional<message_id> correlation() const noexcept {
        return id_in(metadata_tag::correlation);
    }
    [[nodiscard]] std::optional<message_id> causation() const noexcept {
        return id_in(metadata_tag::causation);
    }
    [[nodiscard]] std::optional<trace_context> trace() const noexcept {
        const auto value = find(metadata_tag::trace);
        if (!value)
            return std::nullopt;
        trace_context said;
        std::ranges::copy(value->first(said.trace.size()), said.trace.begin());
        std::ranges::copy(value->subspan(said.trace.size(), said.parent.size()),
                          said.parent.begin());
        const std::size_t flags_at = said.trace.size() + said.parent.size();
        said.flags = std::to_integer<std::uint8_t>((*value)[flags_at]);
        said.state = text_of(value->subspan(flags_at + 1));
        return said;
    }
    [[nodiscard]] std::optional<std::string_view> actor() const noexcept {
        const auto value = find(metadata_tag::actor);
        return value ? std::optional{text_of(*value)} : std::nullopt;
    }
    [[nodiscard]] std::optional<std::uint64_t> source_time_ns() const noexcept {
        const auto value = find(metadata_tag::source_time);
        return value ? std::optional{detail::load_u64(value->data())} : std::nullopt;
    }
    [[nodiscard]] number_list tags() const noexcept { return numbers_in(metadata_tag::tags); }
    [[nodiscard]] number_list subjects() const noexcept {
        return numbers_in(metadata_tag::subjects);
    }

  private:
    [[nodiscard]] metadata_entry entry_at(std::size_t at) const noexcept {
        const std::uint64_t prefix = detail::load_u64(bytes_.data() + at);
        constexpr int flags_shift = 16;
        constexpr int bytes_shift = 32;
        const auto value_bytes = static_cast<std::size_t>(prefix >> bytes_shift);
        return {.tag = static_cast<metadata_tag>(prefix & 0xffff),
                .value = bytes_.subspan(at + detail::metadata_prefix_bytes, value_bytes),
                .critical = (prefix >> flags_shift & detail::metadata_critical) != 0};
    }
    [[nodiscard]] std::optional<message_id> id_in(metadata_tag tag) const noexcept {
        const auto value = find(tag);
        if (!value)
            return std::nullopt;
        message_id id;
        std::ranges::copy(value->first(id.size()), id.begin());
        return id;
    }
    [[nodiscard]] number_list numbers_in(metadata_tag tag) const noexcept {
        const auto value = find(tag);
        return value ? number_list{*value} : number_list{};
    }
    [[nodiscard]] static std::string_view text_of(std::span<const std::byte> bytes) noexcept {
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

    std::span<const std::byte> bytes_;
};

}  // namespace pawl
