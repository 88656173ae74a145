#include "day_orders.hpp"

#include <chrono>
#include <stop_token>
#include <thread>
#include <utility>

namespace exchange {

struct day_orders::core {
    using reaction = pawl::reaction<day_order_rules, engine>;

    explicit core(reaction of) : expiring{std::move(of)} {}

    pawl::result<void> run(const std::stop_token& stopped) {
        constexpr std::chrono::milliseconds patience{20};
        while (!stopped.stop_requested()) {
            if (auto moved = expiring.advance(patience); !moved)
                return std::unexpected(std::move(moved.error()));
        }
        return expiring.close();
    }

    reaction expiring;
    pawl::result<void> outcome;  // once the thread has ended
    std::jthread thread;         // last: it uses the rest
};

pawl::result<day_orders> day_orders::start(pawl::writer& log, pawl::command_loop<engine>& loop) {
    auto opened = core::reaction::open(log, loop, "day-orders");
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    auto made = std::make_unique<core>(std::move(*opened));
    made->thread = std::jthread{
        [of = made.get()](const std::stop_token& stopped) { of->outcome = of->run(stopped); }};
    return day_orders{std::move(made)};
}

day_orders::day_orders(std::unique_ptr<core> made) noexcept : core_{std::move(made)} {}
day_orders::day_orders(day_orders&&) noexcept = default;
day_orders& day_orders::operator=(day_orders&&) noexcept = default;
day_orders::~day_orders() = default;

pawl::result<void> day_orders::stop() {
    core_->thread.request_stop();
    core_->thread.join();
    return std::move(core_->outcome);
}

}  // namespace exchange
