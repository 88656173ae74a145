#include "engine.hpp"

#include <fmt/core.h>

#include <numeric>

namespace exchange {
namespace {

pawl::result<void> misfit(order_id command) {
    return pawl::fail(pawl::errc::malformed,
                      fmt::format("an event of command {} does not fit the books", command));
}

// Counts an event; its command must be its session's last one or a later one. Numbers are missing
// where a command was refused.
bool count(exchange_state& s, order_id command) {
    const std::uint64_t session = session_of(command);
    if (session >= s.sessions.size() || number_of(command) < s.sessions[session])
        return false;
    s.sessions[session] = number_of(command);
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

bool is_sound(std::int64_t price, std::uint32_t quantity) {
    return price >= 1 && price <= engine::highest_price && quantity <= engine::largest_quantity;
}

bool enter(exchange_state& s, book& b, const order& entering) {
    if (entering.account >= s.accounts.size() || !is_sound(entering.price, entering.quantity) ||
        !b.add(entering))
        return false;
    s.accounts[entering.account].open[static_cast<std::size_t>(entering.side)] +=
        entering.price * entering.quantity;
    return true;
}

bool reduce(exchange_state& s, book& b, order_id id, std::uint32_t quantity) {
    const order* found = b.find(id);
    if (!found)
        return false;
    const order before = *found;
    if (!b.reduce(id, quantity))
        return false;
    s.accounts[before.account].open[static_cast<std::size_t>(before.side)] -=
        before.price * quantity;
    return true;
}

// Fills an order of this account.
bool fill(exchange_state& s, book& b, order_id id, account_id account, std::uint32_t quantity) {
    const order* found = b.find(id);
    return found && found->account == account && reduce(s, b, id, quantity);
}

// Moves the money of a trade, or moves it back.
template <class Event>
bool pay(exchange_state& s, const Event& e, bool back) {
    if (e.maker_account() >= s.accounts.size() || e.taker_account() >= s.accounts.size() ||
        !is_sound(e.price(), e.quantity()))
        return false;
    const bool to_maker = (e.side() == side::buy) != back;
    const std::int64_t value = e.price() * e.quantity();
    s.accounts[e.maker_account()].balance += to_maker ? value : -value;
    s.accounts[e.taker_account()].balance -= to_maker ? value : -value;
    return true;
}

}  // namespace

exchange_state engine::initial() {
    return {.books = std::vector<book>(instruments),
            .tapes = std::vector<tape>(instruments),
            .accounts = std::vector<account>(accounts),
            .sessions = std::vector<std::uint64_t>(sessions)};
}

std::uint64_t exchange_state::commands() const noexcept {
    return std::accumulate(sessions.begin(), sessions.end(), std::uint64_t{0});
}

pawl::result<void> engine::evolve(state& s, const accepted& e) {
    return apply(s, e, [&](book& b) {
        return enter(s, b, {e.command(), e.side(), e.price(), e.quantity(), e.account()});
    });
}

pawl::result<void> engine::evolve(state& s, const filled& e) {
    ++s.fills;
    s.filled_quantity += e.quantity();
    return apply(s, e, [&](book& b) {
        // A trade of an earlier version has no number, and cannot be busted.
        const bool is_known =
            e.trade() == 0 || s.tapes[e.instrument()].add({.number = e.trade(),
                                                           .maker = e.maker(),
                                                           .taker = e.taker(),
                                                           .side = e.side(),
                                                           .price = e.price(),
                                                           .quantity = e.quantity(),
                                                           .maker_account = e.maker_account(),
                                                           .taker_account = e.taker_account()});
        return is_known && fill(s, b, e.maker(), e.maker_account(), e.quantity()) &&
               fill(s, b, e.taker(), e.taker_account(), e.quantity()) && pay(s, e, false);
    });
}

pawl::result<void> engine::evolve(state& s, const cancelled& e) {
    return apply(s, e, [&](book& b) { return reduce(s, b, e.order(), e.quantity()); });
}

pawl::result<void> engine::evolve(state& s, const expired& e) {
    if (e.instrument() >= s.books.size() ||
        !reduce(s, s.books[e.instrument()], e.order(), e.quantity()))
        return misfit(e.order());
    ++s.events;
    return {};
}

pawl::result<void> engine::evolve(state& s, const replaced& e) {
    return apply(s, e, [&](book& b) {
        const order* found = b.find(e.order());
        if (!found)
            return false;
        const order old = *found;
        if (e.price() == old.price && e.quantity() <= old.quantity)
            return reduce(s, b, old.id, old.quantity - e.quantity());
        return reduce(s, b, old.id, old.quantity) &&
               enter(s, b, {old.id, old.side, e.price(), e.quantity(), old.account});
    });
}

pawl::result<void> engine::evolve(state& s, const rejected& e) {
    return count(s, e.command()) ? pawl::result<void>{} : misfit(e.command());
}

pawl::result<void> engine::evolve(state& s, const busted& e) {
    ++s.busts;
    s.filled_quantity -= e.quantity();
    return apply(s, e, [&](book&) {
        const trade* was = s.tapes[e.instrument()].find(e.trade());
        return was && was->quantity == e.quantity() && was->price == e.price() &&
               was->side == e.side() && was->maker_account == e.maker_account() &&
               was->taker_account == e.taker_account() && s.tapes[e.instrument()].bust(e.trade()) &&
               pay(s, e, true);
    });
}

}  // namespace exchange
