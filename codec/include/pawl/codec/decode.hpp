// Turns an event's bytes into a FlatBuffers table: verified, and without a copy.
//
//     auto order = pawl::decode<order_accepted>(*event);
//     if (!order) return order.error();
//     use((*order)->price());
//
// A view is valid as long as the event that it points into. A field that the schema does not mark
// `required` may be absent; an absent string or vector is a null pointer.
#pragma once

#include <pawl/codec/event_type.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pawl {

// A payload with its type and schema version, for payloads that are not in a journal yet.
struct typed_payload {
    std::uint16_t type = 0;
    std::uint16_t schema_version = 0;
    std::span<const std::byte> bytes{};
};

// Whether dispatch and folds verify a payload before they pass it to the visitor.
enum class payload_check : std::uint8_t {
    verify,  // always, unless
    trust,   // this program has just verified or encoded it
};

namespace detail {
// Without memory for the detail, these keep the code and the place.
[[nodiscard]] error decode_error(errc code, const event& from, std::string_view why) noexcept;
[[nodiscard]] error decode_error(errc code, const typed_payload& from,
                                 std::string_view why) noexcept;
[[nodiscard, gnu::cold]] std::unexpected<error> unknown_event(const event& from) noexcept;
[[nodiscard, gnu::cold]] std::unexpected<error> unknown_event(const typed_payload& from) noexcept;
// Out of line, so that a call that succeeds keeps no space for an error.
[[nodiscard, gnu::cold, gnu::noinline]] std::unexpected<error> does_not_verify(
    const auto& from) noexcept {
    return std::unexpected(decode_error(errc::malformed, from, "the payload does not verify"));
}

[[nodiscard, gnu::cold, gnu::noinline]] std::unexpected<error> steps_in_a_circle(
    const auto& from) noexcept {
    return std::unexpected(
        decode_error(errc::invalid_argument, from, "its steps lead in a circle"));
}

[[nodiscard]] inline typed_payload payload_of(const event& from) noexcept {
    return {from.type(), from.schema_version(), from.payload()};
}
// Not a copy, which would be read before the parts that it was put together from are in memory.
[[nodiscard]] inline const typed_payload& payload_of(const typed_payload& from) noexcept {
    return from;  // NOLINT: the caller holds it
}
}  // namespace detail

template <class Source>
concept payload_source = std::same_as<Source, event> || std::same_as<Source, typed_payload>;

namespace detail {

// Verifies the bytes as a `Table` wherever they are in memory: the result is that for a copy at a
// payload's alignment.
template <event_table Table>
[[nodiscard]] bool verify_anywhere(std::span<const std::byte> bytes) noexcept {
    constexpr verify_limits limits = limits_of<Table>();
    static_assert(limits.max_bytes < std::size_t{1} << 31, "more than FlatBuffers can address");
    if (bytes.size() < 8 || bytes.size() > limits.max_bytes)
        return false;
    flatbuffers::Verifier::Options options;
    options.max_depth = limits.max_depth;
    options.max_tables = std::min(limits.max_tables, static_cast<std::uint32_t>(bytes.size() / 8));
    options.check_nested_flatbuffers = false;
    flatbuffers::Verifier verifier{reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                   bytes.size(), options};
    return verifier.VerifyBuffer<Table>(nullptr);
}

}  // namespace detail

// True if the bytes are a whole, well-formed `Table` within its limits, at a multiple of 8 in
// memory. Checks the size before it calls FlatBuffers' verifier, which only asserts it. Treats a
// nested FlatBuffer as plain bytes: verify it on its own before use.
template <event_table Table>
[[nodiscard]] bool verify_payload(std::span<const std::byte> bytes) noexcept {
    return reinterpret_cast<std::uintptr_t>(bytes.data()) % detail::payload_alignment == 0 &&
           detail::verify_anywhere<Table>(bytes);
}

// True if the event's type number and schema version are those of `Table`.
template <event_table Table>
[[nodiscard]] bool is(const payload_source auto& from) noexcept {
    const auto& payload = detail::payload_of(from);
    return payload.type == event_traits<Table>::type &&
           payload.schema_version == event_traits<Table>::schema_version;
}

// Returns the table without verifying its bytes. Use it only after a decode of the same event, or
// for an event that this program encoded itself.
template <event_table Table>
[[nodiscard]] const Table& view(const payload_source auto& from) noexcept {
    assert(is<Table>(from));
    return *flatbuffers::GetRoot<Table>(detail::payload_of(from).bytes.data());
}

// Verifies the payload and returns the table. Fails with unknown_event if the type or schema
// version is not that of `Table`, and with malformed if the bytes are not a valid one; both errors
// name the event and its place. Cost: tens of nanoseconds for a small table; does not allocate on
// success.
template <event_table Table>
[[nodiscard]] result<const Table*> decode(const payload_source auto& from) {
    if (!is<Table>(from)) [[unlikely]]
        return detail::unknown_event(from);
    if (!verify_payload<Table>(detail::payload_of(from).bytes)) [[unlikely]]
        return detail::does_not_verify(from);
    return &view<Table>(from);
}

}  // namespace pawl
