#include "os/file.hpp"
#include "os/thread.hpp"

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/replay/detail/follower_thread.hpp>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace pawl::detail {

namespace {

// Appended to the name in the options; together at most 15 characters.
constexpr const char* name_suffix = "-snap";
constexpr std::size_t max_name = 9;

}  // namespace

struct follower_thread::shared {
    std::function<void(const error&)> observer;
    body run;
    std::atomic<bool> stopping{false};
    std::atomic<sequence_number> next_sequence{0};
    std::atomic<std::uint64_t> snapshots{0};
    std::atomic<std::uint64_t> failures{0};
    mutable std::mutex mutex;  // guards `failure`
    std::optional<error> failure;
    std::mutex joining;
    std::thread thread;
};

follower_thread::follower_thread(std::unique_ptr<shared> state) noexcept
    : shared_{std::move(state)} {}

result<std::unique_ptr<follower_thread>> follower_thread::start(
    const thread_options& options, std::function<void(const error&)> observer, body run) {
    if (options.name.size() > max_name)
        return std::unexpected(error{.code = errc::invalid_argument,
                                     .size = options.name.size(),
                                     .limit = max_name,
                                     .reason = "the name of a thread is too long"});
    return guarded([&] { return start_one(options, std::move(observer), std::move(run)); });
}

result<std::unique_ptr<follower_thread>> follower_thread::start_one(
    const thread_options& options, std::function<void(const error&)> observer, body run) {
    auto state = std::make_unique<shared>();
    state->observer = std::move(observer);
    state->run = std::move(run);
    std::unique_ptr<follower_thread> made{new follower_thread{std::move(state)}};
    const auto work = [&self = *made] {
        shared& mine = *self.shared_;
        auto ended = guarded([&] { return mine.run(self); });
        if (ended)
            return;
        {
            const std::scoped_lock lock{mine.mutex};
            mine.failure = std::move(ended.error());
        }
        // From here on nobody changes it.
        if (mine.observer)
            mine.observer(*mine.failure);
    };
    auto started = start_thread({.name = options.name + name_suffix, .cores = options.cores}, work);
    if (!started)
        return std::unexpected(std::move(started.error()));
    made->shared_->thread = std::move(*started);
    return made;
}

follower_thread::~follower_thread() {
    static_cast<void>(stop());
}

std::filesystem::path follower_thread::from_here(const std::filesystem::path& path) {
    return absolute_path(path);
}

bool follower_thread::stopping() const noexcept {
    return shared_->stopping.load(std::memory_order_relaxed);
}

void follower_thread::reached(sequence_number next) noexcept {
    shared_->next_sequence.store(next, std::memory_order_relaxed);
}

void follower_thread::took_snapshot() noexcept {
    shared_->snapshots.fetch_add(1, std::memory_order_release);
}

void follower_thread::failed_snapshot(const error& why) {
    shared_->failures.fetch_add(1, std::memory_order_release);
    if (shared_->observer)
        shared_->observer(why);
}

std::optional<error> follower_thread::failure() const {
    const std::scoped_lock lock{shared_->mutex};
    return shared_->failure ? std::optional{copy_of(*shared_->failure)} : std::nullopt;
}

follower_counters follower_thread::counters() const noexcept {
    return {.next_sequence = shared_->next_sequence.load(std::memory_order_relaxed),
            .snapshots = shared_->snapshots.load(std::memory_order_acquire),
            .failures = shared_->failures.load(std::memory_order_acquire)};
}

result<void> follower_thread::stop() {
    shared_->stopping.store(true, std::memory_order_relaxed);
    // The thread cannot join itself.
    if (shared_->thread.get_id() == std::this_thread::get_id()) {
        return std::unexpected(
            error{.code = errc::busy, .reason = "a follower's callback must not wait for its end"});
    }
    {
        const std::scoped_lock lock{shared_->joining};
        if (shared_->thread.joinable())
            shared_->thread.join();
    }
    if (auto why = failure())
        return std::unexpected(std::move(*why));
    return {};
}

}  // namespace pawl::detail
