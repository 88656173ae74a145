// The shape of business logic over a journal: a plain struct, no base class, nothing virtual.
//
//     struct account {
//         struct state { std::int64_t balance = 0; };
//         using events = pawl::event_list<deposited, withdrawn>;
//
//         state initial() const { return {}; }
//         void evolve(state& s, const deposited& e) const { s.balance += e.amount(); }
//         void evolve(state& s, const withdrawn& e) const { s.balance -= e.amount(); }
//
//         pawl::result<void> decide(const withdraw& command, const state& s,
//                                   pawl::decision& out) const {
//             if (command.amount > s.balance)
//                 return pawl::fail(pawl::errc::invalid_argument, "not that much there");
//             return out.append({.stream = command.account}, [&](auto& builder) {
//                 return create_withdrawn(builder, command.amount);
//             });
//         }
//     };
//
// The members may be static. `evolve` is told facts: it must not fail for want of something, look
// at a clock or at anything but its arguments; then the same events give the same state wherever
// they are replayed. It may return result<void> to stop at an event that cannot be.
#pragma once

#include <pawl/codec/dispatch.hpp>
#include <pawl/codec/event_type.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace pawl {

class decision;

namespace detail {

template <class Fold, class Table>
concept evolves_by_payload = requires(const Fold& fold, typename Fold::state& state,
                                      const Table& table) { fold.evolve(state, table); };
template <class Fold, class Table>
concept evolves_by_event =
    requires(const Fold& fold, typename Fold::state& state, const Table& table, const event& from) {
        fold.evolve(state, table, from);
    };

template <class Fold, class List>
inline constexpr bool evolves_all = false;
template <class Fold, class... Tables>
inline constexpr bool evolves_all<Fold, event_list<Tables...>> =
    ((evolves_by_payload<Fold, Tables> || evolves_by_event<Fold, Tables>) && ...);

}  // namespace detail

// Something that turns events into a state. An `evolve` may take the event as a third argument, for
// its stream, version, sequence or timestamp.
template <class Fold>
concept folds_events = some_event_list<typename Fold::events> && requires(const Fold& fold) {
    { fold.initial() } -> std::same_as<typename Fold::state>;
};

// True where no event of the list is without an `evolve`. Whatever applies events to a state does
// not compile otherwise, and names the table.
template <folds_events Fold>
inline constexpr bool evolves_every_event = detail::evolves_all<Fold, typename Fold::events>;

// A fold that also decides. Its state follows from payloads alone, so that it can be evolved by
// events that are not in the journal yet: an `evolve` that asks for the event does not compile
// there.
template <class Decider, class Command>
concept decides =
    folds_events<Decider> && requires(const Decider& by, const Command& command,
                                      const typename Decider::state& state, decision& out) {
        { by.decide(command, state, out) } -> std::same_as<result<void>>;
    };

namespace detail {

// Visits a table by evolving a state with it.
template <folds_events Fold, payload_source Source>
struct evolver {
    const Fold& fold;
    typename Fold::state& state;

    template <event_table Table>
    auto operator()(const Table& table, const Source& from) const {
        static_assert(evolves_by_payload<Fold, Table> || evolves_by_event<Fold, Table>,
                      "an event of the list has no evolve(state&, const Table&)");
        if constexpr (evolves_by_payload<Fold, Table>) {
            return fold.evolve(state, table);
        } else {
            static_assert(std::same_as<Source, event>,
                          "evolve asks for the event, and this payload lies in no journal yet");
            return fold.evolve(state, table, from);
        }
    }
};

}  // namespace detail

// Applies one event to the state. Fails as dispatch, or with what `evolve` returned.
template <folds_events Fold, payload_source Source>
[[nodiscard]] result<void> evolve(const Fold& fold, typename Fold::state& state, const Source& from,
                                  payload_check check = payload_check::verify) {
    return dispatch<typename Fold::events>(from, detail::evolver<Fold, Source>{fold, state}, check);
}

}  // namespace pawl
