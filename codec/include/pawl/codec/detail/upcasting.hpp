// Takes an old event through its steps, one after the other, to the visitor.
#pragma once

#include <pawl/codec/decode.hpp>
#include <pawl/codec/upcast.hpp>

#include <cstdint>
#include <type_traits>

namespace pawl::detail {

template <class Visitor, class Table, class Source>
inline constexpr bool visits =
    std::is_invocable_v<Visitor&, const Table&> ||
    std::is_invocable_v<Visitor&, const Table&, const Source&> ||
    std::is_invocable_v<Visitor&, const Table&, const Source&, event_part>;

template <class Visitor, class Table, class Source>
result<void> call_visitor(Visitor& visit, const Table& table, const Source& from, event_part part) {
    static_assert(visits<Visitor, Table, Source>,
                  "the visitor has no call for this Table of the event list");
    const auto call = [&] {
        if constexpr (std::is_invocable_v<Visitor&, const Table&, const Source&, event_part>)
            return visit(table, from, part);
        else if constexpr (std::is_invocable_v<Visitor&, const Table&, const Source&>)
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

// A visitor that receives payloads instead of tables; for tests of steps.
template <class Visitor>
concept records_payloads =
    requires(Visitor& visit, const typed_payload& made) { visit.record(made); };

// One event on its way to the visitor. Steps call forward() with each event that they emit, which
// runs the next step.
template <class Events, class Visitor, class Source>
class upcasting {
  public:
    upcasting(const Source& from, Visitor& visit) noexcept : from_{from}, visit_{visit} {}

    template <class Table>
    result<void> advance(const typed_payload& at, payload_check check) {
        if constexpr (has_versions<Table>)
            static_assert(check_history<Table>(typename history<Table>::versions{}));
        if (at.schema_version == event_traits<Table>::schema_version)
            return arrive<Table>(at, check);
        if constexpr (has_versions<Table>)
            return step_from<Table>(typename history<Table>::versions{}, at, check);
        else
            return std::unexpected(unknown_event(from_));
    }

  private:
    // Longer than any history, and few enough not to overflow the stack.
    static constexpr std::uint32_t max_steps = 64;

    static result<void> forward(void* self, const typed_payload& made) {
        return static_cast<upcasting*>(self)->route(Events{}, made);
    }

    template <class First, class... Rest>
    result<void> route(event_list<First, Rest...>, const typed_payload& made) {
        if (made.type == event_traits<First>::type)
            return advance<First>(made, payload_check::trust);
        return route(event_list<Rest...>{}, made);
    }
    result<void> route(event_list<>, const typed_payload&) {
        return std::unexpected(unknown_event(from_));
    }

    template <class Table>
    result<void> arrive(const typed_payload& at, payload_check check) {
        if (check == payload_check::verify && !verify_payload<Table>(at.bytes)) [[unlikely]]
            return std::unexpected(does_not_verify(from_));
        if constexpr (is_retired<Table>) {
            return take(
                [](const Table& table, const upcast_for<Events>& to) {
                    return history<Table>::retire(table, to);
                },
                view<Table>(at));
        } else if constexpr (records_payloads<Visitor>) {
            visit_.record(at);
            return {};
        } else {
            return call_visitor(visit_, view<Table>(at), from_, event_part{parts_++});
        }
    }

    template <class Table, class First, class... Rest>
    result<void> step_from(versions<First, Rest...>, const typed_payload& at, payload_check check) {
        if (at.schema_version != event_traits<First>::schema_version)
            return step_from<Table>(versions<Rest...>{}, at, check);
        if (check == payload_check::verify && !verify_payload<First>(at.bytes)) [[unlikely]]
            return std::unexpected(does_not_verify(from_));
        return take([](const First& old,
                       const upcast_for<Events>& to) { return history<Table>::step(old, to); },
                    view<First>(at));
    }
    template <class Table>
    result<void> step_from(versions<>, const typed_payload&, payload_check) {
        return std::unexpected(unknown_event(from_));
    }

    template <class Step, class Table>
    result<void> take(Step step, const Table& table) {
        if (++steps_ > max_steps) [[unlikely]]
            return std::unexpected(
                decode_error(errc::invalid_argument, from_, "its steps lead in a circle"));
        upcast_sink sink{&forward, this};
        auto done = run_step(sink, [&] { return step(table, upcast_for<Events>{sink}); });
        --steps_;
        return done;
    }

    const Source& from_;
    Visitor& visit_;
    std::uint32_t parts_ = 0;
    std::uint32_t steps_ = 0;  // running, one inside the other
};

}  // namespace pawl::detail
