// A book kept from LOBSTER messages, and its comparison with the published one.
#pragma once

#include "lobster.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace exchange {

// One price at which the kept and the published book differ; size 0 is no level.
struct level_mismatch {
    exchange::side side{};
    std::int64_t price = 0;
    std::int64_t kept = 0;
    std::int64_t published = 0;

    [[nodiscard]] std::string message() const;
};

// The published rows hold the best levels of a side only: what lies beyond the last of them, the
// horizon, changes unseen. So a row is held against the row before it plus the message between
// them, at every price within the earlier row's horizon. A side with room for more levels than it
// has shows all there is, and its horizon lies at the end of all prices.
class lobster_book {
  public:
    // Begins anew with a published book.
    void open(const published_row& row);

    // Executions of hidden orders, cross trades and halts leave the visible book as it is.
    void apply(const lobster_message& m);

    // The prices at which the kept book differs from the published one: within the horizon of the
    // row before, another size; inside the published range, a level too many. Levels that come in
    // from beyond the horizon are adopted and those that leave the range forgotten, so that the
    // kept book goes on as the published one, after a mismatch too.
    [[nodiscard]] std::vector<level_mismatch> compare(const published_row& row);

  private:
    // Sizes by price; below zero where messages took away what was not there.
    using ladder = std::map<std::int64_t, std::int64_t>;
    struct half {
        ladder levels;
        std::int64_t horizon = 0;
    };

    half asks_;
    half bids_;
};

}  // namespace exchange
