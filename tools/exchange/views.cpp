// Keeps the read models in an SQLite database, in a process of its own beside the exchange.
#include "read_models.hpp"
#include "report.hpp"
#include "subcommands.hpp"

#include <pawl/sqlite/projection_audit.hpp>
#include <pawl/sqlite/projector.hpp>

#include <chrono>
#include <string>
#include <utility>

namespace exchange {
namespace {

// An event of this program's own that does not fit is a bug, so that a projection stops.
pawl::result<void> keep(const views_options& options) {
    constexpr std::chrono::milliseconds patience{100};
    auto views = pawl::projector::open(options.directory, options.database);
    if (!views)
        return std::unexpected(std::move(views.error()));
    if (auto added = views->add<order_history>(pawl::stop_at_failure{}); !added)
        return added;
    if (auto added = views->add<minute_candles>(pawl::stop_at_failure{}); !added)
        return added;
    if (auto added = views->add<account_positions>(pawl::stop_at_failure{}); !added)
        return added;
    for (;;) {
        auto moved = views->advance(options.follow ? patience : std::chrono::milliseconds{0});
        if (!moved)
            return std::unexpected(std::move(moved.error()));
        if (!*moved && !options.follow)
            return views->close();
    }
}

template <class P>
pawl::result<report> check(const views_options& options) {
    auto audit = pawl::equals_fold<P>(options.directory, options.database);
    if (!audit)
        return std::unexpected(std::move(audit.error()));
    return report{{"rows", audit->rows},
                  {"next_sequence", audit->next},
                  {"difference", audit->difference ? audit->difference->message() : "none"}};
}

int check_all(const views_options& options) {
    auto orders = check<order_history>(options);
    if (!orders)
        return complain(orders.error());
    auto candles = check<minute_candles>(options);
    if (!candles)
        return complain(candles.error());
    auto positions = check<account_positions>(options);
    if (!positions)
        return complain(positions.error());
    const bool same = (*orders)["difference"] == "none" && (*candles)["difference"] == "none" &&
                      (*positions)["difference"] == "none";
    return print({{"orders", (*orders)["rows"]},
                  {"candles", (*candles)["rows"]},
                  {"positions", (*positions)["rows"]},
                  {"next_sequence", (*orders)["next_sequence"]},
                  {"orders_difference", (*orders)["difference"]},
                  {"candles_difference", (*candles)["difference"]},
                  {"positions_difference", (*positions)["difference"]}},
                 options.json, same ? 0 : 1);
}

}  // namespace

int views(const views_options& options) {
    if (options.check)
        return check_all(options);
    const auto done = keep(options);
    return done ? 0 : complain(done.error());
}

}  // namespace exchange
