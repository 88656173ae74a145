// Converts old events to their newest shape.
//
// A table whose old events can no longer be read with its new shape (EVOLUTION.md) gets a new
// schema version. Its old shape stays in the schema, in a namespace of its own, with an
// event_traits of the same type number and the old version, and `history` converts each shape to
// the next:
//
//     template <>
//     struct pawl::history<paid> {
//         using versions = pawl::versions<v1::paid, v2::paid>;
//
//         static void step(const v1::paid& was, pawl::upcast_to<v2::paid> to) {
//             to([&](auto& b) { return v2::Createpaid(b, was.id(), was.euros() * 100); });
//         }
//         static void step(const v2::paid& was, pawl::upcast_to<paid, fee> to) {
//             to([&](auto& b) { return Createpaid(b, was.id(), was.cents()); });
//             if (was.fee() != 0)
//                 to([&](auto& b) { return Createfee(b, was.id(), was.fee()); });
//         }
//     };
//
// A step emits one event, several, or none. It must be a pure function of its argument, so that an
// event becomes the same events wherever it is read. A type that is no longer written keeps its
// last shape in the event list, and has a `retire` instead of a visitor:
//
//     template <>
//     struct pawl::history<v1::heartbeat> {
//         static void retire(const v1::heartbeat&, pawl::upcast_to<>) {}
//     };
//
// dispatch(), and so every fold, passes only the newest shapes to visitors. Histories are checked
// when a dispatch is compiled: versions that do not count up from 1, a version without a step, and
// a step to a table that the event list does not know do not compile. An event in its newest shape
// is read in place, with or without a history, and a type without a history costs nothing.
//
// An event that became several is still one event of the journal: all of them have its sequence,
// stream and time, and event_part numbers them. One that became none still counts: folds and
// checkpoints advance over it.
#pragma once

#include <pawl/codec/detail/encoded.hpp>
#include <pawl/codec/event_type.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/error.hpp>

#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace pawl {

// The earlier shapes of a table, oldest first.
template <event_table... Old>
struct versions {
    static constexpr std::size_t count = sizeof...(Old);
};

// Specialised by the user, in namespace pawl, for each table of an event list that has old shapes
// or is no longer written.
template <class Table>
struct history;

// The position, from 0, among the events that one event of the journal became. Always 0 for an
// event that was not converted.
struct event_part {
    std::uint32_t index = 0;
};

namespace detail {

// Lends a builder that its thread reuses for every upcast; nested, because a step may run another
// step while its own builder is in use.
class builder_lease {
  public:
    builder_lease() : mine_{&enter()} {}
    ~builder_lease() {
        assert(*mine_->current == mine_);
        *mine_->current = mine_->outer;
    }
    builder_lease(const builder_lease&) = delete;
    builder_lease& operator=(const builder_lease&) = delete;
    [[nodiscard]] flatbuffers::FlatBufferBuilder& operator*() const noexcept {
        return mine_->builder;
    }

    // One builder of a thread, which has as many as steps were ever nested on it.
    struct place {
        place** current = nullptr;  // where the thread keeps the place of its innermost lease
        place* outer = nullptr;
        std::unique_ptr<place> inner{};
        flatbuffers::FlatBufferBuilder builder{};
    };

  private:
    [[nodiscard]] static place& enter();

    place* mine_;
};

struct event_shape_number {
    std::uint16_t type;
    std::uint16_t schema_version;
};

// Passes a step's events on to the next step or to the visitor. Keeps the first failure.
class upcast_sink {
  public:
    // All of it fits in registers.
    using forward = result<void> (*)(void* to, event_shape_number made,
                                     std::span<const std::byte> bytes);
    upcast_sink(forward on, void* to) noexcept : forward_{on}, to_{to} {}

    template <event_build Build>
    void emit(Build&& build) {
        using table = built_table<Build>;
        if (!outcome_) [[unlikely]]
            return;
        // Assigned only if it failed, which is cheaper.
        if (result<void> done = guarded([&] { return pass_on<table>(build); }); !done) [[unlikely]]
            outcome_ = std::move(done);
    }
    [[nodiscard]] result<void> outcome() && { return std::move(outcome_); }

  private:
    // FlatBuffers' functions are worth inlining here: the calls cost as much as some of them do.
    [[gnu::flatten]] static void build_in(flatbuffers::FlatBufferBuilder& builder, auto& build) {
        build_table(builder, build);
    }
    template <class Table>
    result<void> pass_on(auto& build) {
        const builder_lease lease;
        flatbuffers::FlatBufferBuilder& builder = *lease;
        build_in(builder, build);
        if (auto fits = check_encoded<Table>(builder); !fits) [[unlikely]]
            return fits;
        return forward_(to_, {event_traits<Table>::type, event_traits<Table>::schema_version},
                        bytes_of(builder));
    }

    forward forward_;
    void* to_;
    result<void> outcome_{};
};

}  // namespace detail

// The argument of a step: call it with a callable that builds one of the `Next` to emit that event.
// Valid during the step.
template <event_table... Next>
class upcast_to {
  public:
    explicit upcast_to(detail::upcast_sink& sink) noexcept : sink_{&sink} {}

    template <event_build Build>
    void operator()(Build&& build) const {
        static_assert((std::same_as<detail::built_table<Build>, Next> || ...),
                      "a step makes an event that its upcast_to does not name");
        sink_->emit(build);
    }

  private:
    detail::upcast_sink* sink_;
};

namespace detail {

template <class Table>
concept has_versions = requires { typename history<Table>::versions; };

// Converts to any upcast_to, to detect whether a step exists.
struct any_upcast_to {
    template <class... Next>
    operator upcast_to<Next...>() const;  // NOLINT: by conversion, and only in unevaluated code
};

template <class Table>
concept is_retired =
    requires(const Table& table, any_upcast_to to) { history<Table>::retire(table, to); };

template <class Table, class Old>
concept has_step = requires(const Old& old, any_upcast_to to) { history<Table>::step(old, to); };

template <class Table, class... Old>
[[nodiscard]] consteval bool count_up_to(versions<Old...>) {
    std::uint16_t last = 0;
    bool in_order = true;
    const auto follow = [&](std::uint16_t version) {
        ++last;
        in_order = in_order && version == last;
    };
    (follow(event_traits<Old>::schema_version), ...);
    return in_order && event_traits<Table>::schema_version == last + 1;
}
template <class Table, class... Old>
[[nodiscard]] consteval bool has_every_step(versions<Old...>) {
    return (has_step<Table, Old> && ...);
}

template <class Table, class... Old>
consteval bool check_history(versions<Old...> all) {
    static_assert(((event_traits<Old>::type == event_traits<Table>::type) && ...),
                  "an old shape in a history has another type number than its table");
    static_assert(count_up_to<Table>(versions<Old...>{}),
                  "the versions of a history do not count up from 1 to the one before its table's");
    static_assert(has_every_step<Table>(versions<Old...>{}),
                  "a history has no step from one of its versions");
    (void)all;
    return true;
}

// Whether a step may emit a `Made`: a table of the list, or an earlier shape of one.
template <class Made, class Table>
inline constexpr bool is_shape_of = std::same_as<Made, Table>;
template <class Made, class Table>
    requires has_versions<Table>
inline constexpr bool is_shape_of<Made, Table> =
    std::same_as<Made, Table> || []<class... Old>(versions<Old...>) {
        return (std::same_as<Made, Old> || ...);
    }(typename history<Table>::versions{});

template <class Made, class List>
inline constexpr bool is_shape_in = false;
template <class Made, class... Tables>
inline constexpr bool is_shape_in<Made, event_list<Tables...>> = (is_shape_of<Made, Tables> || ...);

// Converts to the upcast_to that a step takes.
template <class Events>
struct upcast_for {
    upcast_sink& sink;

    template <class... Next>
    operator upcast_to<Next...>() const noexcept {  // NOLINT: by conversion
        static_assert((is_shape_in<Next, Events> && ...),
                      "a step makes an event that is no shape of a table of the event list");
        return upcast_to<Next...>{sink};
    }
};

// Runs a step, or a retirement, that returns nothing or result<void>.
template <class Step>
[[nodiscard]] result<void> run_step(upcast_sink& sink, Step&& step) {
    if constexpr (std::is_void_v<decltype(step())>) {
        step();
    } else {
        if (result<void> done = step(); !done)
            return done;
    }
    return std::move(sink).outcome();
}

}  // namespace detail

}  // namespace pawl
