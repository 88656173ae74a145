#include "engine.hpp"

#include <fmt/core.h>

namespace exchange {
namespace {

pawl::result<void> misfit(std::uint64_t command) {
    return pawl::fail(pawl::errc::malformed,
                      fmt::format("an event of command {} does not fit the books", command));
}

// Counts an event; its command must be the last one or the next.
bool count(exchange_state& s, std::uint64_t command) {
    if (command != s.commands && command != s.commands + 1)
        return false;
    s.commands = command;
    ++s.events;
    return true;
}

// `change` changes the event's book and returns false if it cannot: the event may come from
// anywhere, so nothing about it is assumed.
template <class Event, class Change>
pawl::result<void> apply(exchange_state& s, const Event& e, Change&& change) {
    if (e.instrument() >= s.books.size() || !change(s.books[e.instrument()]) ||
        !count(s, e.command()))
        return misfit(e.command());
    return {};
}

}  // namespace

pawl::result<void> engine::evolve(state& s, const accepted& e) {
    return apply(s, e,
                 [&](book& b) { return b.add({e.command(), e.side(), e.price(), e.quantity()}); });
}

pawl::result<void> engine::evolve(state& s, const filled& e) {
    ++s.fills;
    s.filled_quantity += e.quantity();
    return apply(s, e, [&](book& b) {
        return b.reduce(e.maker(), e.quantity()) && b.reduce(e.taker(), e.quantity());
    });
}

pawl::result<void> engine::evolve(state& s, const cancelled& e) {
    return apply(s, e, [&](book& b) { return b.reduce(e.order(), e.quantity()); });
}

pawl::result<void> engine::evolve(state& s, const replaced& e) {
    return apply(s, e, [&](book& b) {
        const order* found = b.find(e.order());
        if (!found)
            return false;
        const order old = *found;
        if (e.price() == old.price && e.quantity() <= old.quantity)
            return b.reduce(old.id, old.quantity - e.quantity());
        return b.reduce(old.id, old.quantity) && b.add({old.id, old.side, e.price(), e.quantity()});
    });
}

pawl::result<void> engine::evolve(state& s, const rejected& e) {
    ++s.rejections;
    return count(s, e.command()) ? pawl::result<void>{} : misfit(e.command());
}

}  // namespace exchange
