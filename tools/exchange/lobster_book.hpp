// A book built from LOBSTER messages, and its comparison with the published one.
#pragma once

#include "lobster.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace exchange {

// One price at which the kept and the published book differ; size 0 means no level.
struct level_mismatch {
    exchange::side side{};
    std::int64_t price = 0;
    std::int64_t kept = 0;
    std::int64_t published = 0;

    [[nodiscard]] std::string message() const;
};

// The published rows hold only the best levels of a side: levels beyond the last of them, the
// horizon, change without being shown. So a row is compared with the previous row plus the message
// between them, at every price within the previous row's horizon. A side with fewer levels than
// columns shows all its levels, and its horizon is the end of all prices.
class lobster_book {
  public:
    // Starts over from a published book.
    void open(const published_row& row);

    // Executions of hidden orders, cross trades and halts do not change the visible book.
    void apply(const lobster_message& m);

    // Returns the prices at which the kept book differs from the published one: a different size
    // within the previous row's horizon, or an extra level inside the published range. Adopts
    // levels that come in from beyond the horizon and drops those that leave the range, so that the
    // kept book continues as the published one, even after a mismatch.
    [[nodiscard]] std::vector<level_mismatch> compare(const published_row& row);

  private:
    // Sizes by price; negative if messages removed more than was there.
    using ladder = std::map<std::int64_t, std::int64_t>;
    struct half {
        ladder levels;
        std::int64_t horizon = 0;
    };

    half asks_;
    half bids_;
};

}  // namespace exchange
