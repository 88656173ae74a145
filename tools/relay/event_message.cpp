#include "relay/event_message.hpp"

#include "events/base64.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <pawl/journal/detail/frame.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

namespace pawl::relay {

namespace {

constexpr std::array<std::string_view, 4> place_names{"alone", "first", "middle", "last"};
constexpr int decimal = 10;
constexpr int hexadecimal = 16;

[[nodiscard]] constexpr std::uint8_t flag_of(batch_place place) noexcept {
    switch (place) {
        case batch_place::alone:
            return 0;
        case batch_place::first:
            return detail::flag::batch_first;
        case batch_place::middle:
            return detail::flag::batch_middle;
        case batch_place::last:
            return detail::flag::batch_last;
    }
    return 0;
}

[[nodiscard]] std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text});
}

// The words of a header, one after the other. Once one is missing or malformed, all is.
class word_reader {
  public:
    explicit word_reader(std::string_view text) noexcept : rest_{text} {}

    [[nodiscard]] std::string_view word() noexcept {
        if (rest_.data() == nullptr) {
            sound_ = false;
            return {};
        }
        const std::size_t end = rest_.find(' ');
        const std::string_view found = rest_.substr(0, end);
        rest_ = end == std::string_view::npos ? std::string_view{} : rest_.substr(end + 1);
        return found;
    }
    template <class Number>
    [[nodiscard]] Number number(int base = decimal) noexcept {
        const std::string_view text = word();
        Number value{};
        const auto [end, problem] =
            std::from_chars(text.data(), text.data() + text.size(), value, base);
        sound_ = sound_ && problem == std::errc{} && end == text.data() + text.size();
        return value;
    }
    [[nodiscard]] std::vector<std::byte> bytes() {
        auto decoded = cli::from_base64(word());
        sound_ = sound_ && decoded.has_value();
        return decoded ? std::move(*decoded) : std::vector<std::byte>{};
    }
    [[nodiscard]] std::string text() {
        const std::vector<std::byte> read = bytes();
        return {reinterpret_cast<const char*>(read.data()), read.size()};
    }
    // Nothing was missing or malformed, and nothing is left.
    [[nodiscard]] bool finished() const noexcept { return sound_ && rest_.data() == nullptr; }

  private:
    std::string_view rest_;
    bool sound_ = true;
};

// Whether metadata_view can read these bytes: whole entries, of which only the last is flagged so.
[[nodiscard]] bool is_metadata(std::span<const std::byte> bytes) noexcept {
    constexpr int flags_shift = 16;
    constexpr int bytes_shift = 32;
    while (!bytes.empty()) {
        if (bytes.size() < detail::metadata_prefix_bytes)
            return false;
        const std::uint64_t prefix = detail::load_u64(bytes.data());
        const std::size_t value = detail::padded(static_cast<std::size_t>(prefix >> bytes_shift));
        bytes = bytes.subspan(detail::metadata_prefix_bytes);
        if (value > bytes.size())
            return false;
        bytes = bytes.subspan(value);
        const bool is_last = (prefix >> flags_shift & detail::metadata_last) != 0;
        if (is_last != bytes.empty())
            return false;
    }
    return true;
}

[[nodiscard]] std::unexpected<error> damaged(const char* what, std::string_view head) {
    return std::unexpected(
        error{.code = errc::damaged,
              .sequence = word_reader{head}.number<std::uint64_t>(),
              .detail = fmt::format("a message of the stream {}: Pawl: {}", what, head)});
}

}  // namespace

struct stored_event::head {
    detail::frame_header frame{};
    std::uint16_t type = 0;
    std::uint16_t schema_version = 0;
    batch_place place = batch_place::alone;
};

std::optional<stored_event::head> stored_event::head_of(std::string_view text) {
    head read;
    word_reader words{text};
    read.frame.sequence = words.number<std::uint64_t>();
    read.frame.timestamp_ns = words.number<std::uint64_t>();
    read.frame.stream = words.number<std::uint64_t>();
    read.frame.version = words.number<std::uint64_t>();
    read.type = words.number<std::uint16_t>();
    read.schema_version = words.number<std::uint16_t>();
    const auto* const place = std::ranges::find(place_names, words.word());
    read.frame.hash = words.number<std::uint64_t>(hexadecimal);
    if (!words.finished() || place == place_names.end())
        return std::nullopt;
    read.place = static_cast<batch_place>(place - place_names.begin());
    return read;
}

stored_event stored_event::build(const head& from, std::span<const std::byte> metadata,
                                 std::span<const std::byte> payload) {
    stored_event made;
    const std::size_t bytes = detail::frame_header_bytes + metadata.size() + payload.size();
    const auto flags = static_cast<std::uint8_t>(flag_of(from.place) |
                                                 (metadata.empty() ? 0 : detail::flag::metadata));
    const detail::commit_word commit{bytes, flags, from.type, from.schema_version};
    detail::frame_header header = from.frame;
    header.commit = commit.value();
    made.frame_.resize(detail::padded(bytes));
    std::memcpy(made.frame_.data(), &header, sizeof header);
    std::byte* const after_header = made.frame_.data() + detail::frame_header_bytes;
    std::ranges::copy(payload, std::ranges::copy(metadata, after_header).out);
    made.content_hash_ = XXH3_64bits(made.frame_.data() + detail::frame_offset::content,
                                     made.frame_.size() - detail::frame_offset::content) ^
                         detail::mix64(commit.value());
    made.metadata_bytes_ = static_cast<std::uint32_t>(metadata.size());
    made.place_ = from.place;
    return made;
}

stored_event stored_event::make(std::uint16_t type, sequence_number sequence,
                                std::uint64_t timestamp_ns, batch_place place,
                                std::span<const std::byte> payload) {
    head from{.type = type, .place = place};
    from.frame.sequence = sequence;
    from.frame.timestamp_ns = timestamp_ns;
    return build(from, {}, payload);
}

event_message to_message(const event& e, batch_place place, std::span<const recorded_name> names,
                         std::span<const recorded_description> descriptions) {
    event_message made{.payload = e.payload()};
    made.head = fmt::format("{} {} {} {} {} {} {} {:016x}", e.sequence(), e.timestamp_ns(),
                            e.stream(), e.version(), e.type(), e.schema_version(),
                            place_names[static_cast<std::size_t>(place)], e.content_hash());
    cli::append_base64(made.metadata, e.metadata().bytes());
    for (const recorded_name& each : names) {
        std::string& text =
            made.names.emplace_back(fmt::format("{} {} ", each.stream, each.timestamp_ns));
        cli::append_base64(text, bytes_of(each.name));
    }
    for (const recorded_description& each : descriptions) {
        std::string& text = made.descriptions.emplace_back(
            fmt::format("{} {} {} ", each.type, each.schema_version, each.timestamp_ns));
        cli::append_base64(text, bytes_of(each.name));
        text += ' ';
        cli::append_base64(text, each.bytes);
    }
    return made;
}

result<stored_event> stored_event::from(const event_message& message) {
    const auto head = head_of(message.head);
    const auto metadata = cli::from_base64(message.metadata);
    if (!head || !metadata || !is_metadata(*metadata))
        return damaged("has malformed headers", message.head);
    const std::size_t bytes =
        detail::frame_header_bytes + metadata->size() + message.payload.size();
    if (bytes > detail::max_frame_bytes)
        return damaged("is larger than any event", message.head);

    stored_event made = build(*head, *metadata, message.payload);
    if (made.content_hash_ != head->frame.hash)
        return damaged("does not have the content hash that it names", message.head);

    for (const std::string& text : message.names) {
        word_reader words{text};
        recorded_name& name = made.names_.emplace_back();
        name.stream = words.number<std::uint64_t>();
        name.timestamp_ns = words.number<std::uint64_t>();
        name.name = words.text();
        if (!words.finished())
            return damaged("has a malformed name", message.head);
    }
    for (const std::string& text : message.descriptions) {
        word_reader words{text};
        recorded_description& said = made.descriptions_.emplace_back();
        said.type = words.number<std::uint16_t>();
        said.schema_version = words.number<std::uint16_t>();
        said.next_sequence = head->frame.sequence;
        said.timestamp_ns = words.number<std::uint64_t>();
        said.name = words.text();
        said.bytes = words.bytes();
        if (!words.finished())
            return damaged("has a malformed description", message.head);
    }
    return made;
}

}  // namespace pawl::relay
