#include "fill_sender.hpp"

#include "events.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

namespace exchange {

struct fill_sender::core {
    core(pawl::cursor from, std::function<void(const fill_notice&)> to, std::uint64_t skip)
        : events{std::move(from)}, send{std::move(to)}, skipped{skip} {}

    pawl::result<void> pass_on(const pawl::event& event) {
        if (skipped > 0) {
            --skipped;
            return {};
        }
        const auto notice = notice_of(event);
        if (!notice)
            return std::unexpected(notice.error());
        send(*notice);
        sent.fetch_add(1, std::memory_order_relaxed);
        return {};
    }

    pawl::result<void> run(const std::stop_token& stopped) {
        constexpr std::chrono::milliseconds patience{5};
        while (!stopped.stop_requested()) {
            const bool is_last_look = all_durable.load();
            while (const pawl::event* event = events.next())
                if (auto passed = pass_on(*event); !passed)
                    return passed;
            // Also says why next() returned no more events.
            const auto more = events.wait(is_last_look ? std::chrono::milliseconds{0} : patience);
            if (!more)
                return std::unexpected(more.error());
            if (is_last_look && !*more)
                return {};
        }
        return {};
    }

    pawl::cursor events;
    std::function<void(const fill_notice&)> send;
    std::uint64_t skipped;
    std::atomic<std::uint64_t> sent{0};
    std::atomic<bool> all_durable{false};
    pawl::result<void> outcome;  // once the thread has ended
    std::jthread thread;         // last: it uses the rest
};

pawl::result<fill_sender> fill_sender::start(const std::filesystem::path& directory,
                                             std::function<void(const fill_notice&)> send,
                                             std::optional<std::uint64_t> arrived,
                                             std::uint64_t notices) {
    const std::uint64_t skip = arrived.value_or(notices);
    if (skip > notices)
        return pawl::fail(pawl::errc::invalid_argument, "fills have arrived from another journal");
    pawl::cursor_options how{.show = pawl::visibility::durable,
                             .follow = true,
                             .filter = {{.types = {pawl::event_traits<filled>::type,
                                                   pawl::event_traits<busted>::type}}}};
    // What all have received need not be read again.
    if (skip == notices)
        how.from = pawl::from_end{};
    auto events = pawl::cursor::open(directory, how);
    if (!events)
        return std::unexpected(std::move(events.error()));
    auto made =
        std::make_unique<core>(std::move(*events), std::move(send), skip == notices ? 0 : skip);
    made->thread = std::jthread{
        [of = made.get()](const std::stop_token& stopped) { of->outcome = of->run(stopped); }};
    return fill_sender{std::move(made)};
}

fill_sender::fill_sender(std::unique_ptr<core> made) noexcept : core_{std::move(made)} {}
fill_sender::fill_sender(fill_sender&&) noexcept = default;
fill_sender& fill_sender::operator=(fill_sender&&) noexcept = default;
fill_sender::~fill_sender() = default;

pawl::result<void> fill_sender::finish() {
    core_->all_durable.store(true);
    core_->thread.join();
    return std::move(core_->outcome);
}

std::uint64_t fill_sender::sent() const noexcept {
    return core_->sent.load(std::memory_order_relaxed);
}

}  // namespace exchange
