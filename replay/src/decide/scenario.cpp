#include <pawl/codec/upcast_scenario.hpp>
#include <pawl/journal/detail/frame.hpp>
#include <pawl/replay/scenario.hpp>

#include <algorithm>
#include <cstring>
#include <string>

namespace pawl::detail {

namespace {

std::string count_of(std::size_t events) {
    return events == 1 ? "1 event" : std::to_string(events) + " events";
}

std::string shown(const typed_payload& one, std::span<const event_shape> tables,
                  std::span<const std::byte> bfbs) {
    for (const event_shape& table : tables)
        if (table.type == one.type && table.schema_version == one.schema_version)
            return show_event(bfbs, table.table, one.bytes);
    return "type " + std::to_string(one.type) + ", " + std::to_string(one.bytes.size()) + " bytes";
}

}  // namespace

verdict expectation::compare(const decision& actual, std::span<const event_shape> tables,
                             std::span<const std::byte> bfbs) const {
    verdict judged = compare(actual);
    if (judged.holds || bfbs.empty() || events_.failure() || actual.failure())
        return judged;
    const auto list = [&](const char* heading, std::size_t count, const auto& one) {
        judged.why += heading;
        for (std::size_t i = 0; i < count; ++i)
            judged.why.append("\n  ").append(one(i));
        if (count == 0)
            judged.why += "\n  no event";
    };
    const auto on_stream = [](std::optional<stream_id> stream) {
        return stream && *stream != no_stream_id ? "stream " + std::to_string(*stream) + ", "
                                                 : std::string{};
    };
    list("\nthe events are", actual.size(), [&](std::size_t i) {
        return on_stream(actual.header(i).stream) + shown(actual.payload(i), tables, bfbs);
    });
    list("\nwhere they should be", events_.size(), [&](std::size_t i) {
        return on_stream(streams_[i]) + shown(events_.payload(i), tables, bfbs);
    });
    return judged;
}

verdict expectation::compare(const decision& actual) const {
    if (events_.failure())
        return {false, "an expected event cannot be encoded: " + events_.failure()->message()};
    if (actual.failure())
        return {false, "the decision failed: " + actual.failure()->message()};
    if (actual.size() != events_.size())
        return {false, count_of(actual.size()) + ", expected " + std::to_string(events_.size())};
    for (std::size_t i = 0; i < events_.size(); ++i) {
        const std::string which = "event " + std::to_string(i + 1) + ": ";
        const auto differs = [&](const char* what, std::uint64_t is, std::uint64_t should) {
            return verdict{false, which + what + " is " + std::to_string(is) + ", expected " +
                                      std::to_string(should)};
        };
        const typed_payload is = actual.payload(i);
        const typed_payload should = events_.payload(i);
        if (is.type != should.type)
            return differs("type", is.type, should.type);
        if (streams_[i] && actual.header(i).stream != *streams_[i])
            return differs("stream", actual.header(i).stream, *streams_[i]);
        if (!std::ranges::equal(is.bytes, should.bytes))
            return {false, which + "fields differ from the expected ones"};
    }
    return {};
}

event imagined_log::write(const event_header& header, const typed_payload& payload) {
    const std::size_t bytes = frame_header_bytes + payload.bytes.size();
    frame_.assign(padded(bytes) / sizeof(std::uint64_t), 0);
    std::byte* frame = reinterpret_cast<std::byte*>(frame_.data());
    const stream_version version = header.stream == no_stream_id ? 0 : ++versions_[header.stream];
    store_u64(frame, commit_word{bytes, 0, header.type, header.schema_version}.value());
    store_u64(frame + frame_offset::sequence, next_);
    store_u64(frame + frame_offset::timestamp, next_);
    store_u64(frame + frame_offset::stream, header.stream);
    store_u64(frame + frame_offset::version, version);
    if (!payload.bytes.empty())
        std::memcpy(frame + frame_header_bytes, payload.bytes.data(), payload.bytes.size());
    ++next_;
    return event{frame, {}, 0};
}

}  // namespace pawl::detail
