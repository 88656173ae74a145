// System frames that carry a record: the name of a stream, the description of an event type.
#include "append/appender.hpp"
#include "append/appender_frames.hpp"
#include "os/assertion.hpp"

#include <utility>

namespace pawl::detail {

result<stream_id> appender::append_name(std::string_view name,
                                        std::uint64_t timestamp_ns) noexcept {
    PAWL_ASSERT(!name.empty());
    const stream_id stream = first_named_stream + named_streams_;
    auto recorded = append_record(system_type::stream_name, stream, std::as_bytes(std::span{name}),
                                  timestamp_ns);
    if (!recorded)
        return std::unexpected(std::move(recorded.error()));
    ++named_streams_;
    return stream;
}

result<void> appender::append_description(std::span<const std::byte> payload,
                                          std::uint64_t timestamp_ns) noexcept {
    return append_record(system_type::description, no_stream_id, payload, timestamp_ns);
}

result<void> appender::append_record(system_type type, stream_id stream,
                                     std::span<const std::byte> payload,
                                     std::uint64_t timestamp_ns) noexcept {
    PAWL_ASSERT(type != system_type::rolled && type != system_type::closed &&
                type != system_type::cut);
    const call_scope scope{inside_};
    if (!scope) [[unlikely]]
        return std::unexpected(call_scope::refusal());
    if (payload.size() > max_payload_bytes)
        return std::unexpected(payload_too_large(payload.size()));
    const std::size_t bytes = frame_header_bytes + payload.size();
    if (!may_append() || busy_) {
        if (auto admitted = attend(padded(bytes)); !admitted)
            return admitted;
    }
    if (auto wrong = make_room(padded(bytes)))
        return std::unexpected(std::move(*wrong));
    const std::uint64_t behind = behind_durable();
    if (behind > most_behind)
        return std::unexpected(too_far_behind());
    return store_record(type, stream, payload, timestamp_ns, behind);
}

result<void> appender::store_record(system_type type, stream_id stream,
                                    std::span<const std::byte> payload, std::uint64_t timestamp_ns,
                                    std::uint64_t behind) noexcept {
    const std::size_t bytes = frame_header_bytes + payload.size();
    PAWL_ASSERT(padded(bytes) <= limit_ - position_);
    const std::uint64_t offset = position_;
    store_payload(offset, payload);
    store_place(offset, sequence_, stream, {}, behind);
    store_time(offset, timestamp_ns);
    const std::uint64_t next = offset + padded(bytes);
    clear_word(next);
    if (lost_a_page()) [[unlikely]]
        return lost_page();
    finish_frame(offset, commit_word{bytes, flag::system, static_cast<std::uint16_t>(type), 0});
    publish(next);
    return {};
}

}  // namespace pawl::detail
