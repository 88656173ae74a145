// Prints events as JSON and parses them from it, using only their schema: no generated header is
// needed.
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
// | absent field | left out; its default, or null, if json_options asks for it |
//
// The parser accepts whatever the printer prints, and printing the result gives the same text. It
// also accepts fields in any order, space between tokens, escapes, 64-bit integers as numbers or
// strings, and numbers for enums. It rejects everything else: comments, unquoted names, trailing
// commas, and anything unknown, missing, duplicate or out of range.
//
// Neither trusts its input. The printer verifies a payload while it prints it: offsets, vtables,
// alignment, terminators, required fields and unions, and like decode it enforces verify_limits'
// bounds on size, depth and number of tables. The parser builds nothing that decode would refuse
// for these limits.
//
// A printer is immutable and may be shared between threads. A parser keeps its memory for the next
// event; one thread at a time uses it. Both refer to the schema, which must outlive them. Neither
// allocates after the largest event, except to report an error.
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
    // JavaScript and jq round integers above 2^53. The parser reads either form.
    bool long_integers_as_strings = false;
    // Prints fields that the payload leaves out: scalars as their default, all others as null.
    // Deprecated fields are printed only if the payload holds them.
    bool defaults = false;
    verify_limits limits{};
    // A payload may refer to one string many times, which makes its text far longer than the
    // payload.
    std::size_t max_text_bytes = std::size_t{64} << 20;
};

class json_printer {
  public:
    explicit json_printer(const schema& of, const json_options& options = {}) noexcept
        : of_{&of}, options_{options} {}

    // Appends the event to `to`, on one line without spaces. Fails with malformed, naming field and
    // offset, if the payload does not match the schema, and with too_large if it exceeds the
    // limits; `to` is then unchanged.
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
    explicit json_parser(const schema& of, const verify_limits& limits = {}) noexcept;

    // Returns the payload that `text` describes, valid until the next call. Its end is aligned to 8
    // in memory and its start need not be: append it, or copy it to a multiple of 8 before decoding
    // it.
    //
    // Fails with invalid_argument if the text is not JSON or does not fit the schema, and with
    // too_large if it exceeds the limits. The error's detail names line, column (both from 1, in
    // bytes) and field, as in "line 3, column 14, lines[2].price.units: 70000 does not fit ushort
    // (0 to 65535)", and error::offset is the byte offset.
    [[nodiscard]] result<std::span<const std::byte>> operator()(std::string_view text);

    json_parser(json_parser&&) noexcept;
    json_parser& operator=(json_parser&&) noexcept;
    ~json_parser();

  private:
    const schema* of_;
    verify_limits limits_;
    std::unique_ptr<detail::json_parser_state> state_;  // made for the first text
};

}  // namespace pawl
