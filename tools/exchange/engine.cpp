#include "engine.hpp"

namespace exchange {
namespace {

// What all events have in common. `applies` changes the event's book and says whether it could:
// whoever evolves a state may have read the event from anywhere, so nothing about it is assumed.
template <class Event, class Change>
void apply(exchange_state& s, const Event& e, Change&& applies) {
    s.commands = e.command();
    ++s.events;
    if (e.instrument() >= s.books.size() || !applies(s.books[e.instrument()]))
        ++s.misfits;
}

}  // namespace

void engine::evolve(state& s, const accepted& e) {
    apply(s, e, [&](book& b) { return b.add({e.command(), e.side(), e.price(), e.quantity()}); });
}

void engine::evolve(state& s, const filled& e) {
    apply(s, e, [&](book& b) {
        return b.reduce(e.maker(), e.quantity()) && b.reduce(e.taker(), e.quantity());
    });
    ++s.fills;
    s.filled_quantity += e.quantity();
}

void engine::evolve(state& s, const cancelled& e) {
    apply(s, e, [&](book& b) { return b.reduce(e.order(), e.quantity()); });
}

void engine::evolve(state& s, const replaced& e) {
    apply(s, e, [&](book& b) {
        const order* found = b.find(e.order());
        if (!found)
            return false;
        const order old = *found;
        if (e.price() == old.price && e.quantity() <= old.quantity)
            return b.reduce(old.id, old.quantity - e.quantity());
        return b.reduce(old.id, old.quantity) && b.add({old.id, old.side, e.price(), e.quantity()});
    });
}

void engine::evolve(state& s, const rejected& e) {
    s.commands = e.command();
    ++s.events;
    ++s.rejections;
}

}  // namespace exchange
