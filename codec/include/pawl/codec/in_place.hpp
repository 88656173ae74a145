// Builds an event directly in the segment.
//
//     auto placed = pawl::append_in_place(log, {.stream = 42}, 256, [&](auto& builder) {
//         return Createorder_accepted(builder, id, price, quantity);
//     });
//
// FlatBuffers builds from back to front and a payload starts at the front, so the finished bytes
// are moved there: as many bytes as encoder::append copies. It saves only the builder's own memory,
// so use it for payloads large enough to evict other data from the cache, not for small ones.
#pragma once

#include <pawl/codec/detail/encoded.hpp>
#include <pawl/codec/detail/reservation_allocator.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/writer.hpp>

#include <concepts>
#include <cstddef>
#include <utility>

namespace pawl {

// Anything that reserves space for a payload: a writer, a batch.
template <class Sink>
concept reserving_sink = requires(Sink sink, const event_header& header) {
    { sink.reserve(header, std::size_t{}) } -> std::same_as<result<reservation>>;
};

// Builds one event of at most `max_bytes` in reserved space and commits it. Fails like reserve,
// commit and encoder::append, and with too_large if the payload is longer than `max_bytes`; nothing
// is published then. The builder keeps its bookkeeping in the same space, 8 bytes per field of an
// open table; if that does not fit, it continues in heap memory.
template <reserving_sink Sink, event_build Build>
[[nodiscard]] result<receipt> append_in_place(Sink& sink, const event_header& where,
                                              std::size_t max_bytes, Build&& build) {
    using table = detail::built_table<Build>;
    auto room = sink.reserve(header_of<table>(where), max_bytes);
    if (!room) [[unlikely]]
        return std::unexpected(std::move(room.error()));
    detail::reservation_allocator memory{room->payload()};
    flatbuffers::FlatBufferBuilder builder{memory.initial_bytes(), &memory};
    auto built = detail::guarded([&]() -> result<void> {
        builder.Finish(build(builder));
        return detail::check_encoded<table>(builder);
    });
    if (!built) [[unlikely]]
        return std::unexpected(std::move(built.error()));
    const auto bytes = detail::bytes_of(builder);
    if (bytes.size() > max_bytes) [[unlikely]]
        return std::unexpected(detail::encoded_too_large(bytes.size(), max_bytes));
    memory.move_to_front(bytes);
    return room->commit(bytes.size());
}

}  // namespace pawl
