#include <pawl/codec/decode.hpp>
#include <pawl/codec/detail/encoded.hpp>
#include <pawl/journal/detail/guarded.hpp>

#include <cstdio>
#include <string>

namespace pawl::detail {

namespace {

// Must match the journal's names for its segments.
std::string segment_name(std::uint64_t ordinal) {
    char name[32];
    std::snprintf(name, sizeof name, "%010llu.seg", static_cast<unsigned long long>(ordinal));
    return name;
}

std::string describe(const typed_payload& payload) {
    return "event type " + std::to_string(payload.type) + ", schema version " +
           std::to_string(payload.schema_version);
}

}  // namespace

error decode_error(errc code, const event& from, std::string_view why) noexcept {
    error failure = decode_error(code, payload_of(from), why);
    failure.sequence = from.sequence();
    failure.offset = from.position().offset;
    (void)guarded([&] { failure.file = segment_name(from.position().ordinal); });
    return failure;
}

error decode_error(errc code, const typed_payload& from, std::string_view why) noexcept {
    error failure{.code = code};
    (void)guarded([&] { failure.detail = describe(from) + ": " + std::string{why}; });
    return failure;
}

std::unexpected<error> unknown_event(const event& from) noexcept {
    return std::unexpected(decode_error(errc::unknown_event, from, "not known to this program"));
}

std::unexpected<error> unknown_event(const typed_payload& from) noexcept {
    return std::unexpected(decode_error(errc::unknown_event, from, "not known to this program"));
}

error encoded_too_large(std::size_t bytes, std::size_t limit) noexcept {
    return {.code = errc::too_large,
            .size = bytes,
            .limit = limit,
            .reason = "the encoded payload is too large"};
}

error encoded_misaligned(std::size_t alignment) noexcept {
    return {.code = errc::invalid_argument,
            .size = alignment,
            .limit = payload_alignment,
            .reason = "the payload is aligned to more bytes than a segment gives"};
}

error encoded_too_deep(const verify_limits& limits) noexcept {
    error failure{.code = errc::too_large};
    (void)guarded([&] {
        failure.detail = "a payload that nests deeper than " + std::to_string(limits.max_depth) +
                         " tables or holds more than " + std::to_string(limits.max_tables);
    });
    return failure;
}

}  // namespace pawl::detail
