// Events as JSON and back, by their schema alone: no generated header is needed.
//
//     auto order = pawl::schema::load(shop_bfbs(), "shop.order_placed");
//     if (!order)
//         return order.error();
//     std::string line;
//     if (auto done = pawl::json_printer{*order}.print(event->payload(), line); !done)
//         return done.error();
//     pawl::json_parser parse{*order};
//     auto payload = parse(R"({"order":7,"customer":12,"price":-5})");
//     if (!payload)
//         return payload.error();
//
// How values look:
//
// | value | JSON |
// | --- | --- |
// | integer | a number; 64-bit ones as a string if json_options asks for it |
// | float, double | the shortest number that reads back as the same bits; "NaN", "Infinity", |
// |   | "-Infinity", and "NaN(0x7ff8000000000001)" for a NaN with other bits |
// | bool | true, false |
// | enum | the value's name, or its number if it has none |
// | bit flags | their names separated by a space, or a number if a bit has no name or none is set |
// | string | a string; an array of its bytes if it is not valid UTF-8 |
// | vector, array | an array |
// | table, struct | an object, its fields in the order of their ids |
// | union x | "x_type" is the name of its member, "x" its value |
// | nested FlatBuffer | an object; an array of its bytes if they do not verify |
// | what is absent | left out; its default, or null, if json_options asks for it |
//
// What the printer prints the parser accepts, and printing the result gives the same text. Beyond
// that the parser takes fields in any order, space between tokens, escapes, 64-bit integers as
// numbers and as strings, and numbers for enums. It is strict: no comments, no unquoted names, no
// trailing commas, no unknown, missing, duplicate or out of range anything.
//
// Neither trusts its input. A payload is verified while it is printed: offsets, vtables, alignment,
// terminators, required fields, unions, with verify_limits' bounds on size, depth and number of
// tables, as decode does; a parser builds nothing that decode would refuse for these limits.
//
// A printer is immutable and may be shared between threads. A parser keeps its memory for the next
// event; one thread uses it at a time. Both refer to the schema, which must outlive them. Neither
// allocates once its memory has seen the largest event, except to report an error.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <pawl/codec/event_type.hpp>
#include <pawl/codec/schema.hpp>
#include <pawl/journal/error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace pawl {

struct json_options {
    // JavaScript and jq round integers above 2^53. Read back either way.
    bool long_integers_as_strings = false;
    // Shows what a payload leaves out: scalars by their default, everything else as null.
    // Deprecated fields are shown only where a payload holds them.
    bool defaults = false;
    verify_limits limits{};
    // A payload may refer to one string many times, so that its text is far longer than itself.
    std::size_t max_text_bytes = std::size_t{64} << 20;
};

class json_printer {
  public:
    explicit json_printer(const schema& of, const json_options& options = {}) noexcept
        : of_{&of}, options_{options} {}

    // Appends the event to `to`, in one line without spaces. Fails with malformed, naming field and
    // offset, if the payload is not what the schema describes, and with too_large where it passes
    // the limits; `to` is then as it was.
    [[nodiscard]] result<void> print(std::span<const std::byte> payload, std::string& to) const;

  private:
    const schema* of_;
    json_options options_;
};

namespace detail {
class json_parser_state;
}

class json_parser {
  public:
    explicit json_parser(const schema& of, const verify_limits& limits = {});

    // The payload that `text` describes, valid until the next call. It ends at a multiple of 8 in
    // memory and starts where it will: append it, or copy it to a multiple of 8 before decoding it.
    //
    // Fails with invalid_argument for what is no JSON or does not fit the schema and with too_large
    // where it passes the limits. The error's detail names line, column (both from 1, in bytes) and
    // field, as "line 3, column 14, lines[2].price.units: 70000 does not fit ushort (0 to 65535)",
    // and error::offset is the byte.
    [[nodiscard]] result<std::span<const std::byte>> operator()(std::string_view text);

    json_parser(json_parser&&) noexcept;
    json_parser& operator=(json_parser&&) noexcept;
    ~json_parser();

  private:
    std::unique_ptr<detail::json_parser_state> state_;
};

}  // namespace pawl
