// An event as a message of a distributed log, and back. The message's body is the payload; text in
// its headers holds everything else that a copy of the journal needs:
//
//     Pawl               sequence, time, stream, version, type, schema version, place in the batch
//                        (alone, first, middle or last) and content hash, separated by spaces;
//                        all decimal but the hash, which is 16 hexadecimal digits
//     Pawl-Metadata      the event's metadata as it lies in the frame, base64; only if there is any
//     Pawl-Name          for each stream name recorded before the event: number, time, and the name
//                        in base64
//     Pawl-Description   for each description recorded before it: type, schema version, time, name
//                        and bytes, both in base64
//
// A decoded event has been checked against its content hash, so a message in which the broker
// changed one bit is damaged and never an event.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/types.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::relay {

enum class batch_place : std::uint8_t { alone, first, middle, last };

// The place of the event in its batch; `follows` is whether the event before it is of the same one.
[[nodiscard]] constexpr batch_place place_of(bool follows, bool more_in_batch) noexcept {
    if (follows)
        return more_in_batch ? batch_place::middle : batch_place::last;
    return more_in_batch ? batch_place::first : batch_place::alone;
}

inline constexpr const char* head_header = "Pawl";
inline constexpr const char* metadata_header = "Pawl-Metadata";
inline constexpr const char* name_header = "Pawl-Name";
inline constexpr const char* description_header = "Pawl-Description";

// The headers of a message, and its body, which is a view.
struct event_message {
    std::string head{};
    std::string metadata{};  // empty: none
    std::vector<std::string> names{};
    std::vector<std::string> descriptions{};
    std::span<const std::byte> payload{};
};

// `e` as a message whose payload refers to the event. Allocates; cost is that of the copies.
[[nodiscard]] event_message to_message(const event& e, batch_place place,
                                       std::span<const recorded_name> names,
                                       std::span<const recorded_description> descriptions);

// An event that was decoded from a message. It owns its bytes, laid out as a frame.
class stored_event {
  public:
    // Fails with damaged if the message is not one that to_message has made: its form is wrong, or
    // the bytes do not have the content hash that the message names.
    [[nodiscard]] static result<stored_event> from(const event_message& message);

    // An event of stream 0 without metadata, as a writer would append it.
    [[nodiscard]] static stored_event make(std::uint16_t type, sequence_number sequence,
                                           std::uint64_t timestamp_ns, batch_place place,
                                           std::span<const std::byte> payload);

    // Valid as long as this object, which may be moved.
    [[nodiscard]] event view() const noexcept {
        return event{frame_.data(), {}, content_hash_, metadata_bytes_};
    }
    [[nodiscard]] sequence_number sequence() const noexcept { return view().sequence(); }
    [[nodiscard]] std::uint64_t content_hash() const noexcept { return content_hash_; }
    [[nodiscard]] batch_place place() const noexcept { return place_; }
    // Of the same batch as the event after it.
    [[nodiscard]] bool more_in_batch() const noexcept { return view().more_in_batch(); }
    [[nodiscard]] std::span<const recorded_name> names() const noexcept { return names_; }
    [[nodiscard]] std::span<const recorded_description> descriptions() const noexcept {
        return descriptions_;
    }

  private:
    struct head;

    [[nodiscard]] static stored_event build(const head& from, std::span<const std::byte> metadata,
                                            std::span<const std::byte> payload);
    [[nodiscard]] static std::optional<head> head_of(std::string_view text);

    std::vector<std::byte> frame_;
    std::uint64_t content_hash_ = 0;
    std::uint32_t metadata_bytes_ = 0;
    batch_place place_ = batch_place::alone;
    std::vector<recorded_name> names_;
    std::vector<recorded_description> descriptions_;
};

}  // namespace pawl::relay
