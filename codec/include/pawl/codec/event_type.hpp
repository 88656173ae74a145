// Declares which FlatBuffers tables are events, and their type numbers.
//
//     table order_accepted { id: ulong; price: long; quantity: uint; }  // in orders.fbs
//
//     template <> struct pawl::event_traits<order_accepted> : pawl::event_number<1> {};
//
//     using order_events = pawl::event_list<order_accepted, order_filled, order_cancelled>;
//
// A type number is permanent: every frame stores it, and no other table may ever use it.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <pawl/codec/detail/payload_alignment.hpp>
#include <pawl/journal/types.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace pawl {

// Specialised by the user for each event table, in namespace pawl. It must have `type` and
// `schema_version`, and may have `static constexpr verify_limits limits`.
template <class Table>
struct event_traits;

// The base of an event_traits: the type number, and the version of the schema.
template <std::uint16_t Type, std::uint16_t SchemaVersion = 1>
struct event_number {
    static constexpr std::uint16_t type = Type;
    static constexpr std::uint16_t schema_version = SchemaVersion;
};

// Limits on the work of verifying a payload. Encoding enforces the same limits, so that everything
// that gets into a journal can be read from it.
struct verify_limits {
    std::size_t max_bytes = std::size_t{1} << 20;
    std::uint32_t max_depth = 16;  // of tables in tables
    // Tables visited; a shared table counts each time. Never more than one per 8 bytes of payload,
    // the size of the smallest table with its reference. A visit may read each byte of the payload.
    std::uint32_t max_tables = 4096;
};

namespace detail {
template <class Table>
concept has_limits = requires {
    { event_traits<Table>::limits } -> std::convertible_to<verify_limits>;
};
}  // namespace detail

// A FlatBuffers table with a specialisation of event_traits.
template <class Table>
concept event_table = std::is_base_of_v<flatbuffers::Table, Table> && requires {
    { event_traits<Table>::type } -> std::convertible_to<std::uint16_t>;
    { event_traits<Table>::schema_version } -> std::convertible_to<std::uint16_t>;
};

template <event_table Table>
[[nodiscard]] consteval verify_limits limits_of() noexcept {
    // A payload starts at a multiple of 8 in a segment, so no table may need more. This check needs
    // a header generated with --cpp-static-reflection, as pawl_flatbuffers() does; the encoder
    // checks all others.
    static_assert(detail::table_alignment<Table>() <= detail::payload_alignment,
                  "an event's table holds a struct that is aligned to more than 8 bytes");
    if constexpr (detail::has_limits<Table>)
        return event_traits<Table>::limits;
    else
        return {};
}

// The header with the number and version of `Table` filled in.
template <event_table Table>
[[nodiscard]] constexpr event_header header_of(event_header where) noexcept {
    where.type = event_traits<Table>::type;
    where.schema_version = event_traits<Table>::schema_version;
    return where;
}

// The closed list of events that a reader understands.
template <event_table... Tables>
struct event_list {
    static constexpr std::size_t size = sizeof...(Tables);
    static constexpr std::array<std::uint16_t, size> types{event_traits<Tables>::type...};

    template <class Table>
    static constexpr bool contains = (std::same_as<Table, Tables> || ...);

    // Also false if one table is in the list twice.
    static constexpr bool numbers_differ = [] {
        for (std::size_t i = 0; i < size; ++i)
            for (std::size_t j = i + 1; j < size; ++j)
                if (types[i] == types[j])
                    return false;
        return true;
    }();
    static_assert(numbers_differ, "two tables of an event_list have the same type number");
};

namespace detail {
template <class List>
inline constexpr bool is_event_list = false;
template <class... Tables>
inline constexpr bool is_event_list<event_list<Tables...>> = true;
}  // namespace detail

template <class List>
concept some_event_list = detail::is_event_list<List>;

}  // namespace pawl
