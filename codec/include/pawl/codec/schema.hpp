// The schema of one event type: a description of its FlatBuffers table, as data.
//
//     auto order = pawl::schema::load(orders_bfbs(), "order_filled");
//     if (!order)
//         return order.error();
//     use(order->bytes());
//
// `pawl_flatbuffers()` compiles orders.fbs into orders_generated.h and embeds the binary schema as
// orders_bfbs(), in orders_bfbs.hpp. A loaded schema is used to print events as JSON and parse them
// from it (json.hpp), and can be compared with another one (schema_changes.hpp).
//
// A schema holds only what its table reaches: comments, file names, other tables, services, the
// file's root type and its identifier are left out. Tables, enums and fields are written in the
// order of their names, so that the same table always gives the same bytes.
//
// Immutable: any number of threads may use one schema at once. Loading copies its input, allocates,
// and costs tens of microseconds; do it once for each type.
//
// One limitation of flatc 2.0.8: it describes the default of a `ulong` above 2^63-1 as 0. Do not
// give a field such a default.
#pragma once

#include <pawl/journal/error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace pawl {

// Limits on the work of loading a schema.
struct schema_limits {
    std::size_t max_bytes = std::size_t{1} << 20;
    std::uint32_t max_types = 4096;  // tables, structs, enums and unions that the table reaches
};

namespace detail {
struct schema_layout;
}

class schema {
  public:
    // Reduces a binary schema, as `flatc -b --schema --bfbs-builtins` writes it, to what `table`
    // reaches. The name includes the namespace ("shop.order_placed"); an empty name means the root
    // type, which the result of bytes() has.
    //
    // Trusts nothing in `bfbs`. Fails with malformed if it is not a binary schema or contradicts
    // itself (FlatBuffers' verifier checks offsets only; load checks names, indices, ids, struct
    // layouts, defaults, enum values and unions), with not_found if it has no such table, with
    // too_large if it exceeds the limits, and with invalid_argument if no event can have this
    // schema: it is a struct, or it holds one that is aligned to more than 8 bytes.
    [[nodiscard]] static result<schema> load(std::span<const std::byte> bfbs,
                                             std::string_view table = {},
                                             const schema_limits& limits = {});

    // The canonical form, itself a binary schema with `table()` as its root type. load() of it
    // gives the same bytes again.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept;

    // The table's name with its namespace.
    [[nodiscard]] std::string_view table() const noexcept;

    // The parser and field_reader also find the table's fields by the names that they have in
    // `earlier`, an earlier schema of the same version: a field that was renamed keeps its id. For
    // the parser this holds in the tables, structs and nested FlatBuffers inside as well, and for
    // the names of enum values and union members. A name that is used now is never an alias. Fails
    // with out_of_memory.
    //
    // Not while another thread uses the schema.
    [[nodiscard]] result<void> add_aliases_of(const schema& earlier);

    // For Pawl's own use.
    [[nodiscard]] const detail::schema_layout& layout() const noexcept { return *layout_; }

    schema(schema&&) noexcept;
    schema& operator=(schema&&) noexcept;
    ~schema();

  private:
    explicit schema(std::unique_ptr<detail::schema_layout> layout) noexcept;

    std::unique_ptr<detail::schema_layout> layout_;
};

}  // namespace pawl
