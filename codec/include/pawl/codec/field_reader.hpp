// Reads single fields of an event's table, using only its schema: for columns of a table, in SQL or
// CSV.
//
//     auto order = pawl::schema::load(shop_bfbs(), "shop.order_placed");
//     if (!order)
//         return order.error();
//     const pawl::field_reader fields{*order};
//     std::string text;
//     auto price = fields.read(event->payload(), fields.find("price").value_or(0), text);
//     if (!price)
//         return price.error();
//
// A field's value:
//
// | field | value |
// | --- | --- |
// | integer, bool | an integer; an unsigned one above 2^63-1 as text in decimal |
// | float, double | a real; not a number: null |
// | enum, bit flags | the text that json.hpp prints, without quotes |
// | string | text; if it is not valid UTF-8, the JSON array of its bytes |
// | anything else | JSON, as json.hpp prints it |
// | absent field | its default; null if it has none |
//
// Trusts no payload: what it reads is verified while it reads it, and the limits are those of a
// json_printer. Immutable: threads may share one. It refers to the schema, which must outlive it.
// Cost: nanoseconds for a number. Allocates only in `text`.
#pragma once

#include <pawl/codec/json.hpp>
#include <pawl/codec/schema.hpp>
#include <pawl/journal/error.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace pawl {

enum class field_kind : std::uint8_t { integer, real, text, json };

struct json_text {
    std::string_view text;
};

// The views are into the payload or into `text`.
using field_value = std::variant<std::monostate, std::int64_t, double, std::string_view, json_text>;

class field_reader {
  public:
    explicit field_reader(const schema& of, const json_options& options = {}) noexcept
        : of_{&of}, options_{options} {}

    [[nodiscard]] std::size_t count() const noexcept;
    [[nodiscard]] std::string_view name(std::size_t index) const noexcept;
    [[nodiscard]] field_kind kind(std::size_t index) const noexcept;
    // By its name, or one of its aliases.
    [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const noexcept;
    // The earlier names of fields that find() takes, each with the field's index.
    using alias = std::pair<std::string, std::uint16_t>;
    [[nodiscard]] std::span<const alias> aliases() const noexcept;

    // Reads the field with this index. `text` is overwritten.
    // Fails with malformed, naming field and offset, and with too_large.
    [[nodiscard]] result<field_value> read(std::span<const std::byte> payload, std::size_t index,
                                           std::string& text) const;

  private:
    const schema* of_;
    json_options options_;
};

}  // namespace pawl
