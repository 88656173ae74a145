// Calls the visitor's overload for the type that an event has.
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
// The list is closed: an event of another type is an error and is never skipped, and a visitor
// without a call for one of the list's tables does not compile. Only Pawl's own events
// (first_reserved_type) are skipped unless the list names them. An event in an old shape reaches
// the visitor in its newest, as the table's history defines (upcast.hpp): once, several times or
// not at all.
#pragma once

#include <pawl/codec/decode.hpp>
#include <pawl/codec/detail/upcasting.hpp>
#include <pawl/codec/upcast.hpp>
#include <pawl/journal/types.hpp>

#include <utility>

namespace pawl {

namespace detail {

// An event in its newest shape is read in place. Only a table with a history takes the slower path.
template <class Events, class Visitor, class Table, class Source>
result<void> visit_one(const Source& from, Visitor& visit, payload_check check) {
    using run = upcasting<Events, Visitor, Source>;
    if constexpr (is_retired<Table> || records_payloads<Visitor>) {
        return run{from, visit}.template start<Table>(payload_of(from), check);
    } else {
        if (!is<Table>(from)) [[unlikely]] {
            if constexpr (has_versions<Table>)
                return run{from, visit}.template start<Table>(payload_of(from), check);
            else
                return unknown_event(from);
        }
        if (check == payload_check::verify && !verify_payload<Table>(payload_of(from).bytes))
            [[unlikely]]
            return does_not_verify(from);
        return call_visitor(visit, view<Table>(from), from, event_part{});
    }
}

template <class Events, class Visitor, class Source>
result<void> dispatch_over(event_list<>, const Source& from, Visitor&, payload_check) {
    if (payload_of(from).type >= first_reserved_type)
        return {};
    return unknown_event(from);
}

// Returns directly from the branch taken: assigning the result to a variable first costs more than
// all the comparisons.
template <class Events, class Visitor, class Source, class First, class... Rest>
result<void> dispatch_over(event_list<First, Rest...>, const Source& from, Visitor& visit,
                           payload_check check) {
    if (payload_of(from).type == event_traits<First>::type)
        return visit_one<Events, Visitor, First>(from, visit, check);
    return dispatch_over<Events>(event_list<Rest...>{}, from, visit, check);
}

}  // namespace detail

// Calls visit(table), visit(table, from) or visit(table, from, event_part) with the table that
// `from` holds, or with each table that it became. Returns the visitor's result. Fails with
// unknown_event if the list does not know the type or the schema version, and with malformed.
template <some_event_list Events, payload_source Source, class Visitor>
[[nodiscard]] result<void> dispatch(const Source& from, Visitor&& visit,
                                    payload_check check = payload_check::verify) {
    return detail::dispatch_over<Events>(Events{}, from, visit, check);
}

}  // namespace pawl
