// The shape of a projection: a plain struct that turns events into rows.
//
// It has a name (a-z, 0-9, _ and -), a version, a list of events, `create` and one `apply` for each
// event type; projection_tables.hpp shows one. The members may be static. `apply` may take the
// event as a third argument, for its sequence, stream or time. It must depend on nothing but its
// arguments and its own tables: a projection is folded again whenever its version changes. Side
// effects have no place in it.
#pragma once

#include <pawl/codec/dispatch.hpp>
#include <pawl/codec/event_type.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/sqlite/projection_tables.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace pawl {

template <class P>
concept projection = requires(projection_tables& to) {
    { P::name } -> std::convertible_to<std::string_view>;
    { P::version } -> std::convertible_to<std::uint32_t>;
    requires detail::is_event_list<typename P::events>;
    { P{}.create(to) } -> std::same_as<result<void>>;
};

// What becomes of an event whose `apply` fails, or that cannot be decoded. Failures of the machine
// (a full disk, a lost database) are not the event's: they stop the projection in any case.

// The projection stops before the event, and tries it again when it is next opened.
struct stop_at_failure {};
// The event is set aside, and with it all later ones that have the same key, so that no event
// overtakes an earlier one of its key. They can be listed, retried and dropped. The projection
// stops if it would park more events than this, or if the event cannot be decoded and so has no
// key. Parked events hold back pawl::prune.
struct park_key {
    std::size_t most_events = 10'000;
};
// The event is left out, and this is recorded.
struct skip_failure {};

using failure_policy = std::variant<stop_at_failure, park_key, skip_failure>;

namespace detail {

// A projection without its type.
struct projection_type {
    std::string_view name;
    std::uint32_t version = 0;
    std::span<const std::uint16_t> types{};
    result<void> (*create)(projection_tables& to) = nullptr;
    result<void> (*apply)(projection_tables& to, const event& from) = nullptr;
    // Nothing if the event has become no table, and is therefore not applied. Null if the
    // projection has no key.
    result<std::optional<std::string>> (*key)(const event& from) = nullptr;
};

template <class P, class Table>
concept keys_by_table = requires(const Table& table) { P{}.key(table); };
template <class P, class Table>
concept keys_by_event = requires(const Table& table, const event& at) { P{}.key(table, at); };

template <class P, class List>
inline constexpr bool keys_all = false;
template <class P, class... Tables>
inline constexpr bool keys_all<P, event_list<Tables...>> =
    ((is_retired<Tables> || keys_by_table<P, Tables> || keys_by_event<P, Tables>) && ...);

[[nodiscard]] std::string key_text(const auto& key) {
    if constexpr (std::integral<std::remove_cvref_t<decltype(key)>>)
        return std::to_string(key);
    else
        return std::string{std::string_view{key}};
}

template <class P>
[[nodiscard]] result<void> apply_event(projection_tables& to, const event& from) {
    return dispatch<typename P::events>(from,
                                        [&](const auto& table, const event& at) -> result<void> {
                                            if constexpr (requires { P{}.apply(to, table, at); })
                                                return P{}.apply(to, table, at);
                                            else
                                                return P{}.apply(to, table);
                                        });
}

// An old event may become several tables, which must then have one key: otherwise it would be
// parked under one and overtake under the other.
template <class P>
[[nodiscard]] result<std::optional<std::string>> key_of_event(const event& from) {
    std::optional<std::string> found;
    const auto done =
        dispatch<typename P::events>(from, [&](const auto& table, const event& at) -> result<void> {
            std::string key;
            if constexpr (keys_by_event<P, std::remove_cvref_t<decltype(table)>>)
                key = key_text(P{}.key(table, at));
            else
                key = key_text(P{}.key(table));
            if (found && *found != key)
                return std::unexpected(
                    error{.code = errc::invalid_argument,
                          .sequence = at.sequence(),
                          .reason = "an old event has become tables with different keys, and "
                                    "cannot be parked"});
            found = std::move(key);
            return {};
        });
    if (!done)
        return std::unexpected(done.error());
    return found;
}

template <projection P>
[[nodiscard]] projection_type projection_type_of() {
    projection_type made{.name = P::name,
                         .version = P::version,
                         .types = P::events::types,
                         .create = [](projection_tables& to) { return P{}.create(to); },
                         .apply = &apply_event<P>};
    if constexpr (keys_all<P, typename P::events>)
        made.key = &key_of_event<P>;
    return made;
}

}  // namespace detail

}  // namespace pawl
