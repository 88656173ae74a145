// Takes day orders out of the books when their time has come: a reaction, with a timer for each.
//
// When an order expires is in the event with which it was accepted, so that a timer needs no file
// of its own: an order whose time came while the exchange was down is taken out when it is back.
#pragma once

#include "engine.hpp"

#include <pawl/journal/writer.hpp>
#include <pawl/replay/command_loop.hpp>
#include <pawl/replay/reaction.hpp>

#include <memory>

namespace exchange {

struct day_order_rules {
    using events = pawl::event_list<accepted, cancelled>;

    static void react(const accepted& e, auto& out) {
        if (e.expires_ns() == 0)
            return;
        out.submit_at(e.expires_ns(), e.command(),
                      command{.asks = command::action::expire,
                              .instrument = e.instrument(),
                              .order = e.command()});
    }
    // An order that was filled is refused as unknown when its time comes.
    static void react(const cancelled& e, auto& out) { out.cancel(e.order()); }
};

// A thread of its own. The loop and the writer must outlive it and stay where they are.
class day_orders {
  public:
    // Fails like pawl::reaction::open.
    [[nodiscard]] static pawl::result<day_orders> start(pawl::writer& log,
                                                        pawl::command_loop<engine>& loop);
    day_orders(day_orders&&) noexcept;
    day_orders& operator=(day_orders&&) noexcept;
    ~day_orders();

    // Ends the thread, which must come before the loop is stopped. Fails with what ended it before.
    [[nodiscard]] pawl::result<void> stop();

  private:
    struct core;
    explicit day_orders(std::unique_ptr<core> made) noexcept;
    std::unique_ptr<core> core_;
};

}  // namespace exchange
