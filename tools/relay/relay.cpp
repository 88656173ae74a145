#include "relay/relay.hpp"

#include "relay/took_over.hpp"

#include <fmt/format.h>

#include <pawl/journal/consumer.hpp>

#include <algorithm>
#include <deque>
#include <optional>
#include <thread>
#include <utility>

namespace pawl::relay {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto commit_interval = 100ms;
constexpr auto first_pause = 50ms;
constexpr auto longest_pause = 2000ms;
constexpr std::uint64_t events_between_looks = 256;

class relay_run {
  public:
    relay_run(sink& to, const relay_options& options, consumer checkpoint)
        : to_{to}, options_{options}, checkpoint_{std::move(checkpoint)} {}

    [[nodiscard]] result<relay_report> run();

  private:
    enum class outcome : std::uint8_t { stopped, finished };

    [[nodiscard]] bool is_stopped() const { return options_.stop && options_.stop(); }
    [[nodiscard]] result<outcome> publish_from_end();
    [[nodiscard]] result<start> start_after(const stored_end& end);
    [[nodiscard]] bool is_same(sequence_number sequence);
    [[nodiscard]] error explain(const stored_end& end);
    [[nodiscard]] result<void> publish(const event& e);
    [[nodiscard]] result<bool> publish_what_is_there();
    [[nodiscard]] result<void> settle(std::chrono::milliseconds wait);
    [[nodiscard]] result<void> commit();
    void pause(std::chrono::milliseconds time);

    sink& to_;
    const relay_options& options_;
    consumer checkpoint_;
    std::optional<cursor> events_{};
    std::deque<consumer_position> unconfirmed_{};  // after each event, or batch, in flight
    std::optional<consumer_position> to_commit_{};
    clock::time_point committed_ = clock::now();
    clock::time_point progress_ = clock::now();
    sequence_number confirmed_ = 0;
    bool in_batch_ = false;  // the last published event and the next are of one batch
    relay_report report_{};
};

// Whether the journal and the sink hold the same event. What a prune has removed was the same.
bool relay_run::is_same(sequence_number sequence) {
    const auto stored = to_.find(sequence);
    if (!stored || !*stored)
        return true;
    auto mine = cursor::open(options_.directory,
                             {.from = from_sequence{sequence},
                              .allow_network_file_system = options_.allow_network_file_system});
    if (!mine)
        return mine.error().code == errc::pruned;
    const event* e = mine->next();
    return e != nullptr && e->content_hash() == (*stored)->content_hash();
}

// Why the journal does not hold the event that the sink holds last. Both begin alike, so the first
// event that differs is found with few requests.
error relay_run::explain(const stored_end& end) {
    sequence_number same = 0;
    sequence_number differs = end.next - 1;
    while (same < differs) {
        const sequence_number middle = same + (differs - same) / 2;
        if (is_same(middle))
            same = middle + 1;
        else
            differs = middle;
    }
    const auto stored = to_.find(differs);
    const auto taken =
        stored && *stored ? takeover_in((*stored)->view()) : std::optional<takeover>{};
    return {.code = errc::diverged,
            .sequence = differs,
            .detail = taken ? fmt::format("journal {} was promoted and took over at this event: "
                                          "this one is no longer the writer, and what it holds "
                                          "from there on was not relayed",
                                          hex_of(taken->by))
                            : "from this event on, what was relayed is not what this journal "
                              "holds: an older copy of the journal was put in its place, or "
                              "another copy was written"};
}

result<start> relay_run::start_after(const stored_end& end) {
    const consumer_position& known = checkpoint_.position();
    if (end.empty)
        return start{from_first{}};
    if (known.point.next == end.next && known.point.content_hash == end.content_hash)
        return start{from_point{.point = known.point}};
    auto there = cursor::open(options_.directory,
                              {.from = from_sequence{end.next - 1},
                               .allow_network_file_system = options_.allow_network_file_system});
    if (!there && there.error().code != errc::not_found && there.error().code != errc::pruned)
        return std::unexpected(std::move(there.error()));
    const event* last = there ? there->next() : nullptr;
    if (last != nullptr && last->content_hash() == end.content_hash) {
        // Nobody may have noted yet that it is stored: the acknowledgement was lost.
        if (!end.more_in_batch)
            to_commit_ = {.point = last->point(), .event_ns = last->timestamp_ns()};
        return start{from_point{.point = last->point()}};
    }
    if (last == nullptr && known.point.next > end.next)
        return std::unexpected(
            error{.code = errc::pruned,
                  .sequence = end.next,
                  .detail = fmt::format("the stream has lost the events from here up to {}, which "
                                        "it had acknowledged, and the journal no longer holds them",
                                        known.point.next)});
    return std::unexpected(explain(end));
}

result<void> relay_run::commit() {
    if (!to_commit_)
        return {};
    auto done = checkpoint_.commit(*to_commit_);
    to_commit_.reset();
    committed_ = clock::now();
    return done;
}

// Takes note of what was confirmed, and moves the checkpoint now and then.
result<void> relay_run::settle(std::chrono::milliseconds wait) {
    const auto now = to_.confirmed(confirmed_, wait);
    if (!now)
        return std::unexpected(now.error());
    if (*now > confirmed_) {
        confirmed_ = *now;
        report_.next = *now;
        progress_ = clock::now();
    }
    while (!unconfirmed_.empty() && unconfirmed_.front().point.next <= confirmed_) {
        to_commit_ = unconfirmed_.front();
        unconfirmed_.pop_front();
    }
    if (unconfirmed_.empty() || clock::now() - committed_ >= commit_interval)
        return commit();
    return {};
}

result<void> relay_run::publish(const event& e) {
    const event_message message =
        to_message(e, place_of(in_batch_, e.more_in_batch()), events_->names_before(),
                   events_->descriptions_before());
    if (auto done = to_.publish(e.sequence(), message); !done)
        return done;
    if (report_.published == 0)
        report_.first = e.sequence();
    ++report_.published;
    in_batch_ = e.more_in_batch();
    // A checkpoint never lies inside a batch.
    if (!in_batch_)
        unconfirmed_.push_back({.point = e.point(), .event_ns = e.timestamp_ns()});
    return {};
}

// True if there was something.
result<bool> relay_run::publish_what_is_there() {
    std::uint64_t count = 0;
    while (const event* e = events_->next()) {
        if (auto done = publish(*e); !done)
            return std::unexpected(std::move(done.error()));
        if (++count % events_between_looks != 0)
            continue;
        if (auto settled = settle(0ms); !settled)
            return std::unexpected(std::move(settled.error()));
        if (is_stopped())
            break;
    }
    return count != 0;
}

result<relay_run::outcome> relay_run::publish_from_end() {
    unconfirmed_.clear();
    confirmed_ = 0;
    ++report_.opened;
    const auto opened = clock::now();
    const auto end = to_.open();
    if (!end)
        return std::unexpected(end.error());
    auto from = start_after(*end);
    if (!from)
        return std::unexpected(std::move(from.error()));
    in_batch_ = end->more_in_batch;
    confirmed_ = end->next;
    report_.next = end->next;
    auto events = cursor::open(options_.directory,
                               {.from = *from,
                                .show = options_.show,
                                .follow = !options_.until_end,
                                .names = true,
                                .allow_network_file_system = options_.allow_network_file_system});
    if (!events)
        return std::unexpected(std::move(events.error()));
    events_.emplace(std::move(*events));
    while (!is_stopped()) {
        const auto found = publish_what_is_there();
        if (!found)
            return std::unexpected(found.error());
        if (auto settled = settle(unconfirmed_.empty() ? 0ms : 10ms); !settled)
            return std::unexpected(std::move(settled.error()));
        if (options_.until_end) {
            const auto ended = events_->finish();
            if (!ended)
                return std::unexpected(ended.error());
            if (unconfirmed_.empty())
                return outcome::finished;
            if (clock::now() - std::max(progress_, opened) > 5s)
                return fail(errc::timed_out, "no message was acknowledged in time");
            continue;
        }
        if (unconfirmed_.empty())
            if (const auto more = events_->wait(100ms); !more)
                return std::unexpected(more.error());
    }
    return outcome::stopped;
}

void relay_run::pause(std::chrono::milliseconds time) {
    const auto until = clock::now() + time;
    while (clock::now() < until && !is_stopped())
        std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(until - clock::now(), 50ms));
}

result<relay_report> relay_run::run() {
    std::chrono::milliseconds wait = first_pause;
    while (!is_stopped()) {
        const auto before = progress_;
        auto ended = publish_from_end();
        if (ended)
            break;
        if (!may_pass(ended.error().code) || !ended.error().file.empty())
            return std::unexpected(std::move(ended.error()));
        if (options_.on_failure)
            options_.on_failure(ended.error());
        if (options_.give_up != 0ms && clock::now() - progress_ > options_.give_up)
            return std::unexpected(std::move(ended.error()));
        wait = progress_ != before ? first_pause
                                   : std::min<std::chrono::milliseconds>(2 * wait, longest_pause);
        pause(wait);
    }
    if (auto done = commit(); !done)
        return std::unexpected(std::move(done.error()));
    if (auto closed = checkpoint_.close(); !closed)
        return std::unexpected(std::move(closed.error()));
    return report_;
}

}  // namespace

result<relay_report> run_relay(sink& to, const relay_options& options) {
    auto checkpoint =
        consumer::open(options.directory, options.checkpoint,
                       {.selection = options.selection,
                        .sync_interval = 1s,
                        .allow_network_file_system = options.allow_network_file_system});
    if (!checkpoint)
        return std::unexpected(std::move(checkpoint.error()));
    return relay_run{to, options, std::move(*checkpoint)}.run();
}

}  // namespace pawl::relay
