// From a table to bytes in the journal.
//
//     pawl::encoder encode;
//     auto placed = encode.append(log, {.stream = 42}, [&](auto& builder) {
//         return Createorder_accepted(builder, id, price, quantity);
//     });
//
// What the callable returns, an Offset of some event table, says which event it is.
#pragma once

#include <pawl/codec/detail/encoded.hpp>
#include <pawl/codec/event_type.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/writer.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

namespace pawl {

// Where an event with a finished payload can be put: a writer, a batch.
template <class Sink>
concept event_sink =
    requires(Sink sink, const event_header& header, std::span<const std::byte> payload) {
        { sink.append(header, payload) } -> std::same_as<result<receipt>>;
    };

// A payload in the encoder's memory, until its next use. It ends at a multiple of 8 there and
// starts where it will: copy it to a multiple of 8 before decoding it.
template <event_table Table>
struct encoded {
    std::span<const std::byte> bytes;
};

// One builder, used again and again. Allocates when a payload is larger than all before it, and
// then never again. Used by one thread at a time.
class encoder {
  public:
    // Room for payloads of about `initial_bytes` is made with the first one.
    explicit encoder(std::size_t initial_bytes = 1024) noexcept : builder_{initial_bytes} {}

    // Builds one event and puts it into `sink`; type and schema version of `where` are filled in.
    // Fails as the sink does, and with too_large or invalid_argument where the payload passes the
    // table's verify_limits or is aligned to more than 8 bytes; nothing is appended then.
    template <event_sink Sink, event_build Build>
    [[nodiscard]] result<receipt> append(Sink& sink, const event_header& where, Build&& build) {
        using table = detail::built_table<Build>;
        auto payload = encode(build);
        if (!payload) [[unlikely]]
            return std::unexpected(std::move(payload.error()));
        return sink.append(header_of<table>(where), payload->bytes);
    }

    // Only the first half of append.
    template <event_build Build>
    [[nodiscard]] auto encode(Build&& build) -> result<encoded<detail::built_table<Build>>> {
        using table = detail::built_table<Build>;
        builder_.Clear();
        builder_.Finish(build(builder_));
        if (auto fits = detail::check_encoded<table>(builder_); !fits) [[unlikely]]
            return std::unexpected(std::move(fits.error()));
        return encoded<table>{detail::bytes_of(builder_)};
    }

  private:
    flatbuffers::FlatBufferBuilder builder_;
};

}  // namespace pawl
