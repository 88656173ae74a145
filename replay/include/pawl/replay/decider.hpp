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
//         enum class refusal { insufficient_funds };
//         std::expected<void, refusal> decide(const withdraw& command, const state& s,
//                                             pawl::decision& out) const {
//             if (command.amount > s.balance)
//                 return std::unexpected(refusal::insufficient_funds);
//             out.append({.stream = command.account}, [&](auto& builder) {
//                 return Createwithdrawn(builder, command.account, command.amount);
//             });
//             return {};
//         }
//     };
//
// The members may be static. `decide` returns std::expected<void, refusal>, with a `refusal` of any
// type that the application chooses, or void if no command is ever refused. `evolve` applies facts:
// it must depend on nothing but its arguments, so that the same events give the same state wherever
// they are replayed. It may return result<void> to stop at an event that is impossible.
#pragma once

#include <pawl/codec/dispatch.hpp>
#include <pawl/codec/event_type.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>

#include <concepts>
#include <expected>
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

template <class Fold, class Table>
concept evolves_by_part =
    requires(const Fold& fold, typename Fold::state& state, const Table& table, const event& from,
             event_part part) { fold.evolve(state, table, from, part); };

// A retired table becomes others, or nothing, before a fold sees it.
template <class Fold, class List>
inline constexpr bool evolves_all = false;
template <class Fold, class... Tables>
inline constexpr bool evolves_all<Fold, event_list<Tables...>> =
    ((is_retired<Tables> || evolves_by_payload<Fold, Tables> || evolves_by_event<Fold, Tables> ||
      evolves_by_part<Fold, Tables>) &&
     ...);

// The return type that `decide` of this decider must have.
template <class Decider, class Outcome>
inline constexpr bool returns_outcome = std::same_as<Outcome, void>;
template <class Decider, class Outcome>
    requires requires { typename Decider::refusal; }
inline constexpr bool returns_outcome<Decider, Outcome> =
    std::same_as<Outcome, std::expected<void, typename Decider::refusal>> &&
    !std::same_as<typename Decider::refusal, error>;

}  // namespace detail

// A type that turns events into a state. An `evolve` may take the event as a third argument, for
// its stream, version, sequence or timestamp, and an event_part as a fourth. Events in an old shape
// arrive in their newest (pawl/codec/upcast.hpp).
template <class Fold>
concept folds_events = some_event_list<typename Fold::events> && requires(const Fold& fold) {
    { fold.initial() } -> std::same_as<typename Fold::state>;
};

// True if every event of the list has an `evolve`. Applying events to a state does not compile
// otherwise, and the error names the table.
template <folds_events Fold>
inline constexpr bool evolves_every_event = detail::evolves_all<Fold, typename Fold::events>;

// A fold whose `decide` may refuse a command. The refusal is the application's own type, and not
// pawl::error: that one is reserved for failures of the journal.
template <class Decider>
concept may_refuse = requires { typename Decider::refusal; };

// A fold that also decides.
template <class Decider, class Command>
concept decides =
    folds_events<Decider> && requires(const Decider& by, const Command& command,
                                      const typename Decider::state& state, decision& out) {
        by.decide(command, state, out);  // NOLINTNEXTLINE: it may be static
        requires detail::returns_outcome<Decider, decltype(by.decide(command, state, out))>;
    };

namespace detail {

struct no_refusal {
    friend bool operator==(const no_refusal&, const no_refusal&) = default;
};
template <class Decider>
struct refusal_of {
    using type = no_refusal;
};
template <may_refuse Decider>
struct refusal_of<Decider> {
    using type = typename Decider::refusal;
};

// Visits a table by evolving a state with it.
template <folds_events Fold, payload_source Source>
struct evolver {
    const Fold& fold;
    typename Fold::state& state;

    template <event_table Table>
        requires(!std::same_as<Source, event> || !evolves_by_part<Fold, Table>)
    auto operator()(const Table& table, const Source& from) const {
        static_assert(evolves_by_payload<Fold, Table> || evolves_by_event<Fold, Table> ||
                          evolves_by_part<Fold, Table>,
                      "an event of the list has no evolve(state&, const Table&)");
        if constexpr (evolves_by_payload<Fold, Table>) {
            return fold.evolve(state, table);
        } else {
            static_assert(std::same_as<Source, event>,
                          "evolve asks for the event, and this payload lies in no journal yet");
            return fold.evolve(state, table, from);
        }
    }
    template <event_table Table>
        requires std::same_as<Source, event> && evolves_by_part<Fold, Table>
    auto operator()(const Table& table, const Source& from, event_part part) const {
        return fold.evolve(state, table, from, part);
    }
};

}  // namespace detail

// Applies one event to the state. Fails like dispatch, or with what `evolve` returned.
template <folds_events Fold, payload_source Source>
[[nodiscard]] result<void> evolve(const Fold& fold, typename Fold::state& state, const Source& from,
                                  payload_check check = payload_check::verify) {
    return dispatch<typename Fold::events>(from, detail::evolver<Fold, Source>{fold, state}, check);
}

}  // namespace pawl
