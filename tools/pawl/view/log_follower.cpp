#include "view/log_follower.hpp"

#include <pawl/journal/journal.hpp>
#include <pawl/journal/status.hpp>

#include <new>
#include <utility>

namespace pawl::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto look_each = 500ms;
constexpr auto wait_at_most = 100ms;

}  // namespace

log_follower::log_follower(log_map& map, view_words& words)
    : map_{map}, words_{words}, thread_{[this](const std::stop_token& stop) { run(stop); }} {}

std::optional<error> log_follower::failure() const {
    const std::scoped_lock lock{guard_};
    return failure_;
}

void log_follower::set_failure(std::optional<error> why) {
    const std::scoped_lock lock{guard_};
    failure_ = std::move(why);
}

// Where reading fails, a recovery or a restore may mend it.
void log_follower::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        try {
            if (auto followed = follow(stop); !followed)
                set_failure(std::move(followed.error()));
        } catch (const std::bad_alloc&) {
            set_failure(error{.code = errc::out_of_memory});
        }
        caught_up_ = true;
        for (auto left = look_each; left > 0ms && !stop.stop_requested(); left -= wait_at_most)
            std::this_thread::sleep_for(wait_at_most);
    }
}

result<void> log_follower::follow(const std::stop_token& stop) {
    if (auto looked = look_at_files(); !looked)
        return looked;
    map_.forget_unsealed();
    auto events = cursor::open(map_.directory(),
                               {.from = from_sequence{map_.unsealed_from()},
                                .follow = true,
                                .names = true,
                                .allow_network_file_system = map_.allows_network_file_system()});
    if (!events)
        return std::unexpected(std::move(events.error()));
    set_failure(std::nullopt);
    while (!stop.stop_requested()) {
        while (const event* e = stop.stop_requested() ? nullptr : events->next())
            if (auto taken = take(*events, *e); !taken)
                return taken;
        const auto more = events->wait(wait_at_most);
        if (!more)
            return std::unexpected(more.error());
        if (*more)
            continue;
        caught_up_ = true;
        if (auto looked = look_at_files(); !looked)
            return looked;
    }
    return {};
}

result<void> log_follower::take(const cursor& events, const event& e) {
    // A journal that grows without a pause is never caught up with.
    constexpr sequence_number each = 16384;
    if (e.sequence() % each == 0) {
        if (const auto status = read_status(map_.directory()))
            map_.set_durable(status->durable);
    }
    if (e.sequence() % each == 0 || e.position().ordinal != ordinal_)
        if (auto looked = look_at_files(); !looked)
            return looked;
    ordinal_ = e.position().ordinal;
    map_.add(e);
    for (const recorded_name& name : events.names_before())
        words_.add(name);
    if (events.descriptions_before().empty())
        return {};
    auto words = journal_words::read(map_.directory());
    if (!words)
        return std::unexpected(std::move(words.error()));
    words_.replace(std::move(*words));
    return {};
}

result<void> log_follower::look_at_files() {
    const auto now = std::chrono::steady_clock::now();
    if (now - looked_ < look_each)
        return {};
    looked_ = now;
    auto journal = inspect(map_.directory(), {.pass_over_faults = true});
    if (!journal)
        return std::unexpected(std::move(journal.error()));
    map_.set_durable(journal->durable);
    map_.update(std::move(*journal));
    return {};
}

}  // namespace pawl::cli
