#include "follow/log_places.hpp"
#include "follow/subscription_state.hpp"
#include "os/assertion.hpp"
#include "os/deadline.hpp"
#include "os/file.hpp"

#include <pawl/journal/detail/frame.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/replay/subscription.hpp>

#include <algorithm>
#include <utility>

namespace pawl::detail {

using std::chrono::steady_clock;

namespace {

constexpr std::size_t longest_name = 60;
constexpr std::uint32_t most_members = 1024;

[[nodiscard]] result<void> check(std::string_view name, const subscription_options& options) {
    const auto& [member, members] = options.share;
    if (name.size() > longest_name || name.contains('.'))
        return std::unexpected(error{
            .code = errc::invalid_argument,
            .detail =
                "a subscription's name is 1 to 60 of a-z, 0-9, _ and -: " + std::string{name}});
    if (members == 0 || members > most_members || member >= members)
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .size = member,
                  .limit = members,
                  .reason = "subscription_options::share: of 1 to 1024 members, the first is 0"});
    if (options.filter && !options.filter->has_condition())
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .reason = "subscription_options::filter has no condition; without a filter, a "
                            "subscription gets all events"});
    return {};
}

[[nodiscard]] std::string consumer_name(std::string_view name, const subscription_share& share) {
    std::string whole{name};
    if (share.members == 1)
        return whole;
    whole += '.';
    whole += std::to_string(share.member);
    whole += "-of-";
    whole += std::to_string(share.members);
    return whole;
}

template <class Number>
void make_canonical(std::vector<Number>& numbers) {
    std::ranges::sort(numbers);
    const auto repeated = std::ranges::unique(numbers);
    numbers.erase(repeated.begin(), repeated.end());
}

template <class Number>
void add_list(std::string& text, std::string_view what, const std::vector<Number>& numbers) {
    if (numbers.empty())
        return;
    if (!text.empty())
        text += "; ";
    text += what;
    char before = ' ';
    for (const Number each : numbers) {
        text += before;
        text += std::to_string(each);
        before = ',';
    }
}

[[nodiscard]] result<cursor> follow(const std::filesystem::path& directory, const start& from,
                                    const subscription_options& options) {
    return cursor::open(directory,
                        {.from = from,
                         .show = options.show,
                         .follow = true,
                         .wait = options.wait,
                         .allow_network_file_system = options.allow_network_file_system});
}

[[nodiscard]] place_request place_of(const std::filesystem::path& directory, const start& from,
                                     const subscription_options& options) {
    return {.directory = directory,
            .from = from,
            .show = options.show,
            .allow_network_file_system = options.allow_network_file_system};
}

}  // namespace

std::string selection_text(const subscription_options& options) {
    std::string text;
    if (options.filter) {
        add_list(text, "types", options.filter->types);
        add_list(text, "streams", options.filter->streams);
        add_list(text, "tags", options.filter->tags);
    }
    if (text.empty())
        text = "all";
    if (options.share.members == 1)
        return text;
    text += "; share ";
    text += std::to_string(options.share.member);
    text += " of ";
    text += std::to_string(options.share.members);
    return text;
}

subscription_state::subscription_state(std::filesystem::path directory,
                                       subscription_options options, consumer position,
                                       cursor events)
    : directory_{std::move(directory)},
      options_{std::move(options)},
      consumer_{std::move(position)},
      events_{std::move(events)},
      reached_{consumer_.position()} {}

result<std::unique_ptr<subscription_state>> subscription_state::open(
    const std::filesystem::path& path, std::string_view name, subscription_options options) {
    if (auto fine = check(name, options); !fine)
        return std::unexpected(std::move(fine.error()));
    if (options.filter) {
        make_canonical(options.filter->types);
        make_canonical(options.filter->streams);
        make_canonical(options.filter->tags);
    }
    // It outlives this call, and the program may change its working directory.
    const auto directory = absolute_path(path);
    auto position = consumer::open(
        directory, consumer_name(name, options.share),
        {.selection = selection_text(options),
         .replace_selection = options.replace_filter,
         .begin = [&] { return find_position(place_of(directory, options.from, options)); },
         .sync_interval = options.sync_interval,
         .allow_network_file_system = options.allow_network_file_system});
    if (!position)
        return std::unexpected(std::move(position.error()));
    auto events = follow(directory, position->resume_from(), options);
    if (!events)
        return std::unexpected(std::move(events.error()));
    return std::unique_ptr<subscription_state>{new subscription_state{
        directory, std::move(options), std::move(*position), std::move(*events)}};
}

bool subscription_state::wants(const event& e) const noexcept {
    if (options_.share.members != 1 &&
        mix64(e.stream()) % options_.share.members != options_.share.member)
        return false;
    if (options_.filter)
        return options_.filter->admits(e);
    return e.type() < first_reserved_type;
}

// An error in the middle of a batch leaves the cursor there, so it ends the subscription.
result<std::span<const event>> subscription_state::next(std::chrono::nanoseconds timeout) {
    if (failure_)
        return std::unexpected(copy_of(*failure_));
    auto unit = guarded([&] { return next_unit(deadline_after(steady_clock::now(), timeout)); });
    if (!unit)
        failure_ = copy_of(unit.error());
    return unit;
}

result<std::span<const event>> subscription_state::next_unit(time deadline) {
    constexpr std::uint64_t passed_between_looks_at_the_clock = 4096;
    unit_.clear();
    bool inside_batch = false;
    for (std::uint64_t passed = 0;;) {
        const event* e = events_.next();
        if (e == nullptr) {
            auto more = wait_until(deadline);
            if (!more)
                return std::unexpected(std::move(more.error()));
            if (*more)
                continue;
            // The first event of a batch is returned only once all of it can be.
            PAWL_ASSERT(!inside_batch);
            return std::span<const event>{};
        }
        inside_batch = e->more_in_batch();
        if (wants(*e))
            unit_.push_back(*e);
        if (inside_batch)
            continue;
        reached_ = {e->point(), e->timestamp_ns()};
        if (!unit_.empty())
            return unit_;
        if (++passed % passed_between_looks_at_the_clock == 0 && steady_clock::now() >= deadline)
            return std::span<const event>{};
    }
}

// Meanwhile it syncs a commit that has become due.
result<bool> subscription_state::wait_until(time deadline) {
    for (;;) {
        const auto now = steady_clock::now();
        if (consumer_.sync_due() <= now) {
            if (auto synced = consumer_.sync(); !synced)
                return std::unexpected(std::move(synced.error()));
        }
        const time until = std::min(deadline, consumer_.sync_due());
        auto more = events_.wait(until - now);
        if (!more || *more || until == deadline)
            return more;
    }
}

result<void> subscription_state::commit() {
    if (reached_.point != consumer_.position().point)
        return consumer_.commit(reached_);
    return consumer_.sync_due() <= steady_clock::now() ? consumer_.sync() : result<void>{};
}

result<void> subscription_state::reset(const start& from) {
    auto position = find_position(place_of(directory_, from, options_));
    if (!position)
        return std::unexpected(std::move(position.error()));
    auto events = follow(directory_, from_point{.point = position->point}, options_);
    if (!events)
        return std::unexpected(std::move(events.error()));
    if (auto stored = consumer_.commit(*position); !stored)
        return stored;
    unit_.clear();
    events_ = std::move(*events);
    reached_ = *position;
    failure_.reset();
    return consumer_.sync();
}

}  // namespace pawl::detail

namespace pawl {

subscription::subscription(std::unique_ptr<detail::subscription_state> state) noexcept
    : state_{std::move(state)} {}
subscription::subscription(subscription&&) noexcept = default;
subscription& subscription::operator=(subscription&&) noexcept = default;
subscription::~subscription() = default;

result<subscription> subscription::open(const std::filesystem::path& directory,
                                        std::string_view name, subscription_options options) {
    return detail::guarded([&]() -> result<subscription> {
        auto state = detail::subscription_state::open(directory, name, std::move(options));
        if (!state)
            return std::unexpected(std::move(state.error()));
        return subscription{std::move(*state)};
    });
}

result<std::span<const event>> subscription::next(std::chrono::nanoseconds timeout) {
    return state_->next(timeout);
}
result<void> subscription::commit() {
    return state_->commit();
}
result<void> subscription::sync() {
    return state_->position().sync();
}
result<void> subscription::close() {
    return state_->position().close();
}
result<void> subscription::reset(const start& from) {
    return detail::guarded([&] { return state_->reset(from); });
}
const consumer_position& subscription::committed() const noexcept {
    return state_->position().position();
}
sequence_number subscription::next_sequence() const noexcept {
    return state_->next_sequence();
}

}  // namespace pawl
