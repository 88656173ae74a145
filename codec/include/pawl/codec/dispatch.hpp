// From an event of one of several types to the call that understands it.
//
//     struct book {
//         std::map<std::uint64_t, pawl::sequence_number> open;  // orders, and where they came in
//         void operator()(const order_accepted& e, const pawl::event& at) {
//             open[e.id()] = at.sequence();
//         }
//         void operator()(const order_filled& e) { open.erase(e.id()); }
//         void operator()(const order_cancelled& e) { open.erase(e.id()); }
//     };
//     book orders;
//     auto done = pawl::dispatch<order_events>(*event, orders);
//
// The list is closed: an event of another type is an error and is never passed over, and a visitor
// without a call for one of the list's tables does not compile. Only Pawl's own events
// (first_reserved_type) are passed over unless the list names them.
#pragma once

#include <pawl/codec/decode.hpp>
#include <pawl/journal/types.hpp>

#include <type_traits>
#include <utility>

namespace pawl {

namespace detail {

template <class Visitor, class Table, class Source>
inline constexpr bool visits = std::is_invocable_v<Visitor&, const Table&> ||
                               std::is_invocable_v<Visitor&, const Table&, const Source&>;

template <class Visitor, class Table, class Source>
result<void> visit_one(const Source& from, Visitor& visit, payload_check check) {
    static_assert(visits<Visitor, Table, Source>,
                  "the visitor has no call for this Table of the event list");
    if (!is<Table>(from)) [[unlikely]]
        return std::unexpected(unknown_event(from));
    if (check == payload_check::verify && !verify_payload<Table>(payload_of(from).bytes))
        [[unlikely]]
        return std::unexpected(does_not_verify(from));
    const Table& table = view<Table>(from);
    const auto call = [&] {
        if constexpr (std::is_invocable_v<Visitor&, const Table&, const Source&>)
            return visit(table, from);
        else
            return visit(table);
    };
    if constexpr (std::is_void_v<decltype(call())>) {
        call();
        return {};
    } else {
        static_assert(std::is_same_v<decltype(call()), result<void>>,
                      "a visitor returns void or result<void>");
        return call();
    }
}

template <class Visitor, class Source>
result<void> dispatch_over(event_list<>, const Source& from, Visitor&, payload_check) {
    if (payload_of(from).type >= first_reserved_type)
        return {};
    return std::unexpected(unknown_event(from));
}

// Returns straight from the branch taken: a result that is passed on by assignment costs more than
// all the comparisons.
template <class Visitor, class Source, class First, class... Rest>
result<void> dispatch_over(event_list<First, Rest...>, const Source& from, Visitor& visit,
                           payload_check check) {
    if (payload_of(from).type == event_traits<First>::type)
        return visit_one<Visitor, First>(from, visit, check);
    return dispatch_over(event_list<Rest...>{}, from, visit, check);
}

}  // namespace detail

// Calls visit(table) or visit(table, from) with the table that `from` holds. Returns what the
// visitor returned, unknown_event where the type is not in the list or the schema version is
// another, or malformed.
template <some_event_list Events, payload_source Source, class Visitor>
[[nodiscard]] result<void> dispatch(const Source& from, Visitor&& visit,
                                    payload_check check = payload_check::verify) {
    return detail::dispatch_over(Events{}, from, visit, check);
}

}  // namespace pawl
