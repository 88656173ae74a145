#include "book.hpp"

#include <algorithm>

namespace exchange {

bool book::add(const order& entering) {
    if (entering.quantity == 0 || entering.side > side::MAX)
        return false;
    const auto [entry, is_new] = slots_.try_emplace(entering.id, none);
    if (!is_new)
        return false;
    const slot taken = entry->second = take_slot(entering);

    ladder& levels = sides_[index(entering.side)];
    const std::size_t at = position(levels, entering.side, entering.price);
    if (at == levels.size() || levels[at].price != entering.price)
        levels.insert(levels.begin() + static_cast<std::ptrdiff_t>(at),
                      {entering.price, none, none});
    level& queue = levels[at];
    nodes_[taken].previous = queue.last;
    (queue.last == none ? queue.first : nodes_[queue.last].next) = taken;
    queue.last = taken;
    ++counts_[index(entering.side)];
    return true;
}

bool book::reduce(order_id id, std::uint32_t quantity) {
    const auto entry = slots_.find(id);
    if (entry == slots_.end() || nodes_[entry->second].quantity < quantity)
        return false;
    const slot touched = entry->second;
    nodes_[touched].quantity -= quantity;
    if (nodes_[touched].quantity == 0) {
        slots_.erase(entry);
        remove(touched);
    }
    return true;
}

const order* book::find(order_id id) const {
    const auto entry = slots_.find(id);
    return entry == slots_.end() ? nullptr : &nodes_[entry->second];
}

const order* book::best(side s) const {
    return at(s, 0);
}

const order* book::next(const order& o) const {
    const node& here = static_cast<const node&>(o);
    if (here.next != none)
        return &nodes_[here.next];
    const ladder& levels = sides_[index(o.side)];
    const std::size_t place = position(levels, o.side, o.price);
    return place == 0 ? nullptr : &nodes_[levels[place - 1].first];
}

const order* book::at(side s, std::size_t rank) const {
    const ladder& levels = sides_[index(s)];
    return rank < levels.size() ? &nodes_[levels[levels.size() - 1 - rank].first] : nullptr;
}

std::size_t book::position(const ladder& levels, side s, std::int64_t price) {
    const auto found = std::ranges::lower_bound(
        levels, price, [s](std::int64_t a, std::int64_t b) { return better(s, b, a); },
        &level::price);
    return static_cast<std::size_t>(found - levels.begin());
}

book::slot book::take_slot(const order& entering) {
    if (free_ == none) {
        nodes_.push_back({{entering}, none, none});
        return static_cast<slot>(nodes_.size() - 1);
    }
    const slot taken = free_;
    free_ = nodes_[taken].next;
    nodes_[taken] = {{entering}, none, none};
    return taken;
}

void book::remove(slot leaving) {
    const node& gone = nodes_[leaving];
    ladder& levels = sides_[index(gone.side)];
    const std::size_t place = position(levels, gone.side, gone.price);
    level& queue = levels[place];
    (gone.previous == none ? queue.first : nodes_[gone.previous].next) = gone.next;
    (gone.next == none ? queue.last : nodes_[gone.next].previous) = gone.previous;
    if (queue.first == none)
        levels.erase(levels.begin() + static_cast<std::ptrdiff_t>(place));
    --counts_[index(gone.side)];
    nodes_[leaving].next = free_;
    free_ = leaving;
}

}  // namespace exchange
