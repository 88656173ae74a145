// Builds a table and appends its bytes to the journal.
//
//     pawl::encoder encode;
//     auto placed = encode.append(log, {.stream = 42}, [&](auto& builder) {
//         return Createorder_accepted(builder, id, price, quantity);
//     });
//
// The callable returns an Offset of an event table, and that table determines the event's type.
#pragma once

#include <pawl/codec/detail/encoded.hpp>
#include <pawl/codec/event_type.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/writer.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace pawl {

// Anything that accepts an event with a finished payload: a writer, a batch.
template <class Sink>
concept event_sink =
    requires(Sink sink, const event_header& header, std::span<const std::byte> payload) {
        { sink.append(header, payload) } -> std::same_as<result<receipt>>;
    };

// A payload in the encoder's memory, valid until the encoder's next use. Its end is aligned to 8
// there and its start need not be: copy it to a multiple of 8 before decoding it.
template <event_table Table>
struct encoded {
    std::span<const std::byte> bytes;
};

// Owns one builder and reuses it. Allocates only when a payload is larger than all before it. One
// thread at a time uses it.
class encoder {
  public:
    // The first payload allocates `initial_bytes`.
    explicit encoder(std::size_t initial_bytes = 1024) noexcept : builder_{initial_bytes} {}

    // Builds one event and appends it to `sink`; fills in the type and schema version of `where`.
    // Fails like the sink, with too_large if the payload exceeds the table's verify_limits, with
    // invalid_argument if it is aligned to more than 8 bytes, and with out_of_memory; nothing is
    // appended then.
    template <event_sink Sink, event_build Build>
    [[nodiscard]] result<receipt> append(Sink& sink, const event_header& where, Build&& build) {
        using table = detail::built_table<Build>;
        auto payload = encode(build);
        if (!payload) [[unlikely]]
            return std::unexpected(std::move(payload.error()));
        return sink.append(header_of<table>(where), payload->bytes);
    }

    // Builds and checks the payload like append, but does not append it.
    template <event_build Build>
    [[nodiscard]] auto encode(Build&& build) -> result<encoded<detail::built_table<Build>>> {
        using table = detail::built_table<Build>;
        return detail::guarded([&]() -> result<encoded<table>> {
            detail::build_table(builder_, build);
            if (auto fits = detail::check_encoded<table>(builder_); !fits) [[unlikely]]
                return std::unexpected(std::move(fits.error()));
            return encoded<table>{detail::bytes_of(builder_)};
        });
    }

  private:
    flatbuffers::FlatBufferBuilder builder_;
};

}  // namespace pawl
