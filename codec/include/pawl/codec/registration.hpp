// Registers a program's event types with the journal that it writes, so that every tool can read
// the journal without the program.
//
//     auto log = pawl::writer::open("orders");
//     if (!log)
//         return log.error();
//     if (auto known = pawl::register_events<order_events>(*log, orders_bfbs()); !known)
//         return known.error();
//
// The journal keeps the schema of each table as a description (writer::describe), once for each
// distinct content. Registering compares the program's schemas with those by the rules of
// EVOLUTION.md, refuses changes that the schema version hides, and records what is new. Do it at
// every start, before the first event.
#pragma once

#include <pawl/codec/event_type.hpp>
#include <pawl/codec/upcast.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/writer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace pawl {

// What became of the shapes of an event list: its tables, and the old ones in their histories.
struct registration {
    std::uint32_t recorded = 0;  // described now: new to the journal, or extended
    std::uint32_t known = 0;     // the journal described them already
    // Described by the journal in this form once and extended since: this program is an earlier
    // release. Its events can be read like all others, and nothing is recorded.
    std::uint32_t outgrown = 0;
};

namespace detail {

struct event_shape {
    std::uint16_t type = 0;
    std::uint16_t schema_version = 0;
    std::string_view table{};           // with its namespace
    std::span<const std::byte> bfbs{};  // its schema, if not that of the whole list
};

template <event_table Table>
[[nodiscard]] consteval event_shape shape_of() noexcept {
    return {event_traits<Table>::type, event_traits<Table>::schema_version,
            Table::Traits::fully_qualified_name};
}

template <event_table... Tables>
[[nodiscard]] consteval auto shapes_of_versions(versions<Tables...>) noexcept {
    return std::array<event_shape, sizeof...(Tables)>{shape_of<Tables>()...};
}

// Its old shapes, oldest first, and its own.
template <event_table Table>
[[nodiscard]] consteval auto shapes_of_table() noexcept {
    if constexpr (has_versions<Table>)
        return []<class... Old>(versions<Old...>) {
            return shapes_of_versions(versions<Old..., Table>{});
        }(typename history<Table>::versions{});
    else
        return shapes_of_versions(versions<Table>{});
}

template <class... Tables>
[[nodiscard]] consteval auto shapes_of(event_list<Tables...>) noexcept {
    std::array<event_shape, (shapes_of_table<Tables>().size() + ... + 0)> all{};
    std::size_t count = 0;
    const auto add = [&](const auto& shapes) {
        for (const event_shape& each : shapes)
            all[count++] = each;
    };
    (add(shapes_of_table<Tables>()), ...);
    return all;
}

[[nodiscard]] result<registration> register_shapes(writer& log, std::span<const std::byte> bfbs,
                                                   std::span<const event_shape> shapes,
                                                   std::uint64_t timestamp_ns);

}  // namespace detail

// `bfbs` is the binary schema of every table of the list, as `pawl_flatbuffers` embeds it.
//
// Fails with invalid_argument, naming table, field and rule, if a schema does not extend the one
// that the journal holds for the same type and schema version, if the journal holds an older
// version that no history converts, or if it holds a table of that name under another type number;
// with unknown_event if it holds a newer version; with not_found if `bfbs` lacks a table; with
// malformed if a schema is not one; and like writer::describe. Nothing is recorded unless all
// shapes are accepted.
//
// Reads the heads of the journal's indexes and the segments that hold descriptions. The thread that
// uses the writer calls it, outside batches. `timestamp_ns` is used only with clock_source::caller.
template <some_event_list Events>
[[nodiscard]] result<registration> register_events(writer& log, std::span<const std::byte> bfbs,
                                                   std::uint64_t timestamp_ns = 0) {
    static constexpr auto shapes = detail::shapes_of(Events{});
    return detail::register_shapes(log, bfbs, shapes, timestamp_ns);
}

}  // namespace pawl
