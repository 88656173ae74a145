// The description of one event type: what a FlatBuffers table looks like, as data.
//
//     auto order = pawl::schema::load(orders_bfbs(), "order_filled");
//     if (!order)
//         return order.error();
//     use(order->bytes());
//
// `pawl_flatbuffers()` compiles orders.fbs into orders_generated.h and embeds the binary schema as
// orders_bfbs(), in orders_bfbs.hpp. A schema that was loaded prints events as JSON and reads them
// from JSON (json.hpp), and is compared with another one (schema_changes.hpp).
//
// A schema holds what its table reaches and nothing else: comments, file names, other tables,
// services, the file's root type and its identifier are left out. Tables, enums and fields are
// written in the order of their names, so that the same table always gives the same bytes.
//
// Immutable: any number of threads may use one schema at once. Loading copies what it is given,
// allocates, and costs tens of microseconds; do it once for each type.
//
// One thing is lost before Pawl sees it: flatc 2.0.8 describes the default of a `ulong` above
// 2^63-1 as 0. Do not give a field such a default.
#pragma once

#include <pawl/journal/error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace pawl {

// How much a description may ask of the program that reads it.
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
    // reaches, with namespace ("shop.order_placed"). An empty name stands for the root type; what
    // bytes() returned has one.
    //
    // Nothing in `bfbs` is trusted. Fails with malformed if it is no binary schema or contradicts
    // itself (FlatBuffers' verifier looks at offsets only; names, indices, ids, struct layouts,
    // defaults, enum values and unions are checked here), with not_found if it has no such table,
    // with too_large where it passes the limits, and with invalid_argument if no event can have
    // this schema: it is a struct, or it holds one that is aligned to more than 8 bytes.
    [[nodiscard]] static result<schema> load(std::span<const std::byte> bfbs,
                                             std::string_view table = {},
                                             const schema_limits& limits = {});

    // The canonical form, itself a binary schema with `table()` as its root type. load() of it
    // gives the same bytes again.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept;

    // The table's name with its namespace.
    [[nodiscard]] std::string_view table() const noexcept;

    // For Pawl's own use.
    [[nodiscard]] const detail::schema_layout& layout() const noexcept { return *layout_; }

    schema(schema&&) noexcept;
    schema& operator=(schema&&) noexcept;
    ~schema();

  private:
    explicit schema(std::unique_ptr<const detail::schema_layout> layout) noexcept;

    std::unique_ptr<const detail::schema_layout> layout_;
};

}  // namespace pawl
