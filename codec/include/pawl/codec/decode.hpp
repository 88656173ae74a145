// From bytes to a table: checked, and without a copy.
//
//     auto order = pawl::decode<order_accepted>(*event);
//     if (!order) return order.error();
//     use((*order)->price());
//
// A view lives as long as the event that it looks into. Fields that a schema does not call
// `required` may be absent, and a string or vector that is absent is a null pointer.
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

// An event's payload and what it says it is; for payloads that lie in no journal yet.
struct typed_payload {
    std::uint16_t type = 0;
    std::uint16_t schema_version = 0;
    std::span<const std::byte> bytes{};
};

// Whether dispatch and folds verify a payload before they show it.
enum class payload_check : std::uint8_t {
    verify,  // always, unless
    trust,   // it was verified or encoded by this program just before
};

namespace detail {
[[nodiscard]] error decode_error(errc code, const event& from, std::string_view why);
[[nodiscard]] error decode_error(errc code, const typed_payload& from, std::string_view why);
[[nodiscard]] error unknown_event(const event& from);
[[nodiscard]] error unknown_event(const typed_payload& from);
[[nodiscard]] inline error does_not_verify(const auto& from) {
    return decode_error(errc::malformed, from, "the payload does not verify");
}

[[nodiscard]] inline typed_payload payload_of(const event& from) noexcept {
    return {from.type(), from.schema_version(), from.payload()};
}
[[nodiscard]] inline typed_payload payload_of(const typed_payload& from) noexcept {
    return from;
}
}  // namespace detail

template <class Source>
concept payload_source = std::same_as<Source, event> || std::same_as<Source, typed_payload>;

namespace detail {

// Whether the bytes are a `Table`, if they were copied to where a payload starts.
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

// True where the bytes are a whole, well-formed `Table` within its limits, at a multiple of 8 in
// memory. Sizes are looked at before FlatBuffers' verifier, which only asserts them. A nested
// FlatBuffer is a run of bytes to this: verify it on its own before use.
template <event_table Table>
[[nodiscard]] bool verify_payload(std::span<const std::byte> bytes) noexcept {
    return reinterpret_cast<std::uintptr_t>(bytes.data()) % detail::payload_alignment == 0 &&
           detail::verify_anywhere<Table>(bytes);
}

// True where the event says that it is a `Table`, in the schema version that this program knows.
template <event_table Table>
[[nodiscard]] bool is(const payload_source auto& from) noexcept {
    const auto& payload = detail::payload_of(from);
    return payload.type == event_traits<Table>::type &&
           payload.schema_version == event_traits<Table>::schema_version;
}

// The table without a look at its bytes: only behind a decode of the same event, or for what this
// program encoded itself.
template <event_table Table>
[[nodiscard]] const Table& view(const payload_source auto& from) noexcept {
    assert(is<Table>(from));
    return *flatbuffers::GetRoot<Table>(detail::payload_of(from).bytes.data());
}

// The table, verified. unknown_event where type or schema version are not those of `Table`,
// malformed where the bytes are not one; both name the event and its place. Tens of nanoseconds for
// a small table, no allocation where it succeeds.
template <event_table Table>
[[nodiscard]] result<const Table*> decode(const payload_source auto& from) {
    if (!is<Table>(from)) [[unlikely]]
        return std::unexpected(detail::unknown_event(from));
    if (!verify_payload<Table>(detail::payload_of(from).bytes)) [[unlikely]]
        return std::unexpected(detail::does_not_verify(from));
    return &view<Table>(from);
}

}  // namespace pawl
