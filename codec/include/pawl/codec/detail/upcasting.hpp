// Takes an old event through its steps, one after the other, to the visitor.
#pragma once

#include <pawl/codec/decode.hpp>
#include <pawl/codec/upcast.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
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

    // Takes the event itself; only this is from outside, and verified if `check` asks for it. What
    // a step has built needs no verification.
    template <class Table>
    result<void> start(const typed_payload& at, payload_check check) {
        if constexpr (has_versions<Table>)
            static_assert(check_history<Table>(typename history<Table>::versions{}));
        if (check == payload_check::verify && !verify_version<Table>(at)) [[unlikely]]
            return does_not_verify(from_);
        return advance<Table>(at.schema_version, at.bytes);
    }

  private:
    // Longer than any history, and few enough not to overflow the stack.
    static constexpr std::uint32_t max_steps = 64;
    using bytes_view = std::span<const std::byte>;

    // True of a version that the history does not know: advance() refuses it.
    template <class Table>
    static bool verify_version(const typed_payload& at) noexcept {
        if (is<Table>(at))
            return verify_payload<Table>(at.bytes);
        if constexpr (has_versions<Table>)
            return []<class... Old>(versions<Old...>, const typed_payload& from) {
                return ((!is<Old>(from) || verify_payload<Old>(from.bytes)) && ...);
            }(typename history<Table>::versions{}, at);
        else
            return true;
    }

    static result<void> forward(void* self, event_shape_number made, bytes_view bytes) {
        return static_cast<upcasting*>(self)->route(Events{}, made, bytes);
    }

    template <class First, class... Rest>
    result<void> route(event_list<First, Rest...>, event_shape_number made, bytes_view bytes) {
        if (made.type == event_traits<First>::type)
            return advance<First>(made.schema_version, bytes);
        return route(event_list<Rest...>{}, made, bytes);
    }
    result<void> route(event_list<>, event_shape_number, bytes_view) {
        return unknown_event(from_);
    }

    template <class Table>
    result<void> advance(std::uint16_t version, bytes_view bytes) {
        if (version == event_traits<Table>::schema_version)
            return arrive<Table>(bytes);
        if constexpr (has_versions<Table>)
            return step_from<Table>(typename history<Table>::versions{}, version, bytes);
        else
            return unknown_event(from_);
    }

    template <class Table>
    result<void> arrive(bytes_view bytes) {
        const Table& table = *flatbuffers::GetRoot<Table>(bytes.data());
        if constexpr (is_retired<Table>) {
            return take(
                [](const Table& last, const upcast_for<Events>& to) {
                    return history<Table>::retire(last, to);
                },
                table);
        } else if constexpr (records_payloads<Visitor>) {
            visit_.record({event_traits<Table>::type, event_traits<Table>::schema_version, bytes});
            return {};
        } else {
            return call_visitor(visit_, table, from_, event_part{parts_++});
        }
    }

    template <class Table, class First, class... Rest>
    result<void> step_from(versions<First, Rest...>, std::uint16_t version, bytes_view bytes) {
        if (version != event_traits<First>::schema_version)
            return step_from<Table>(versions<Rest...>{}, version, bytes);
        return take([](const First& old,
                       const upcast_for<Events>& to) { return history<Table>::step(old, to); },
                    *flatbuffers::GetRoot<First>(bytes.data()));
    }
    template <class Table>
    result<void> step_from(versions<>, std::uint16_t, bytes_view) {
        return unknown_event(from_);
    }

    template <class Step, class Table>
    result<void> take(Step step, const Table& table) {
        if (++steps_ > max_steps) [[unlikely]]
            return steps_in_a_circle(from_);
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
