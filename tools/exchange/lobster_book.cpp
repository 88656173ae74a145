#include "lobster_book.hpp"

#include "book.hpp"

#include <fmt/core.h>

#include <limits>

namespace exchange {
namespace {

std::int64_t horizon(const published_row& row, const std::vector<published_level>& published,
                     side s) {
    if (published.size() * columns_per_level == row.columns)
        return published.back().price;
    return s == side::sell ? std::numeric_limits<std::int64_t>::max()
                           : std::numeric_limits<std::int64_t>::min();
}

bool within(side s, std::int64_t price, std::int64_t horizon) {
    return !better(s, horizon, price);
}

}  // namespace

std::string level_mismatch::message() const {
    return fmt::format("{} at {}: kept {}, published {}", side == side::sell ? "ask" : "bid", price,
                       kept, published);
}

void lobster_book::open(const published_row& row) {
    const auto take = [&](half& kept, const std::vector<published_level>& published, side s) {
        kept.levels.clear();
        for (const published_level& level : published)
            kept.levels[level.price] = level.size;
        kept.horizon = horizon(row, published, s);
    };
    take(asks_, row.asks, side::sell);
    take(bids_, row.bids, side::buy);
}

void lobster_book::apply(const lobster_message& m) {
    using enum lobster_kind;
    ladder& levels = m.side() == side::sell ? asks_.levels : bids_.levels;
    switch (m.kind()) {
        case submission:
            levels[m.price()] += m.size();
            break;
        case partial_cancellation:
        case deletion:
        case execution:
            levels[m.price()] -= m.size();
            break;
        case hidden_execution:
        case cross_trade:
        case halt:
            return;
    }
    if (levels[m.price()] == 0)
        levels.erase(m.price());
}

std::vector<level_mismatch> lobster_book::compare(const published_row& row) {
    std::vector<level_mismatch> mismatches;
    const auto compare_side = [&](half& kept, const std::vector<published_level>& published,
                                  side s) {
        for (const published_level& level : published) {
            const auto found = kept.levels.find(level.price);
            const std::int64_t size = found == kept.levels.end() ? 0 : found->second;
            if (within(s, level.price, kept.horizon) && size != level.size)
                mismatches.push_back({s, level.price, size, level.size});
            kept.levels.erase(level.price);
        }
        for (const auto& [price, size] : kept.levels)
            if (within(s, price, horizon(row, published, s)))
                mismatches.push_back({s, price, size, 0});
    };
    compare_side(asks_, row.asks, side::sell);
    compare_side(bids_, row.bids, side::buy);
    open(row);
    return mismatches;
}

}  // namespace exchange
