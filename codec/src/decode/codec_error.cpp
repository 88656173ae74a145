#include <pawl/codec/decode.hpp>
#include <pawl/codec/detail/encoded.hpp>

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

error decode_error(errc code, const event& from, std::string_view why) {
    error failure = decode_error(code, payload_of(from), why);
    failure.sequence = from.sequence();
    failure.offset = from.position().offset;
    failure.file = segment_name(from.position().ordinal);
    return failure;
}

error decode_error(errc code, const typed_payload& from, std::string_view why) {
    return {.code = code, .detail = describe(from) + ": " + std::string{why}};
}

error unknown_event(const event& from) {
    return decode_error(errc::unknown_event, from, "not known to this program");
}

error unknown_event(const typed_payload& from) {
    return decode_error(errc::unknown_event, from, "not known to this program");
}

error encoded_too_large(std::size_t bytes, std::size_t limit) {
    return {.code = errc::too_large,
            .size = bytes,
            .limit = limit,
            .reason = "the encoded payload is too large"};
}

error encoded_misaligned(std::size_t alignment) {
    return {.code = errc::invalid_argument,
            .detail = "a payload aligned to " + std::to_string(alignment) +
                      " bytes where a segment gives " + std::to_string(payload_alignment)};
}

error encoded_too_deep(const verify_limits& limits) {
    return {.code = errc::too_large,
            .detail = "a payload that nests deeper than " + std::to_string(limits.max_depth) +
                      " tables or holds more than " + std::to_string(limits.max_tables)};
}

}  // namespace pawl::detail
