#include "relay/copy_stream.hpp"

#include "relay/nats_source.hpp"
#include "relay/replica.hpp"
#include "relay/took_over.hpp"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

namespace pawl::relay {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

class copy_run {
  public:
    explicit copy_run(const copy_options& options) : options_{options} {}

    // Copies until the end, until it is stopped, or for good.
    [[nodiscard]] result<void> run();
    [[nodiscard]] result<promotion> promote();
    [[nodiscard]] result<copy_report> finish();

  private:
    [[nodiscard]] bool is_stopped() const { return options_.stop && options_.stop(); }
    [[nodiscard]] result<void> open();
    [[nodiscard]] result<void> compare_last();
    [[nodiscard]] result<void> take_up_to_end();
    template <class Step>
    [[nodiscard]] result<void> persist(Step&& step);

    const copy_options& options_;
    std::optional<nats_source> source_{};
    std::optional<replica> copy_{};
    copy_report report_{};
    clock::time_point progress_ = clock::now();
};

result<void> copy_run::open() {
    source_.reset();
    auto source = nats_source::open(options_.nats);
    if (!source)
        return std::unexpected(std::move(source.error()));
    source_.emplace(std::move(*source));
    const auto first = source_->stream().first();
    if (!first)
        return std::unexpected(first.error());
    if (!copy_) {
        if (*first != 0)
            return std::unexpected(
                error{.code = errc::invalid_argument,
                      .sequence = *first,
                      .detail = "the stream begins with this event, and a journal cannot begin "
                                "after sequence 0"});
        const journal_facts& facts = source_->stream().journal();
        auto copy = replica::open(
            options_.directory, {.origin = facts.origin,
                                 .segment_bytes = facts.segment_bytes,
                                 .allow_network_file_system = options_.allow_network_file_system});
        if (!copy)
            return std::unexpected(std::move(copy.error()));
        copy_.emplace(std::move(*copy));
        report_.first = copy_->next();
    }
    copy_->forget_pending();
    return compare_last();
}

result<void> copy_run::compare_last() {
    if (copy_->next() == 0)
        return {};
    const auto there = source_->stream().find(copy_->next() - 1);
    if (!there)
        return std::unexpected(there.error());
    if (*there && (*there)->content_hash() == *copy_->last_content_hash())
        return {};
    return std::unexpected(error{.code = errc::diverged,
                                 .sequence = copy_->next() - 1,
                                 .file = options_.directory.string(),
                                 .detail = *there
                                               ? "the stream holds another event with this sequence"
                                               : "the stream ends before this event"});
}

result<void> copy_run::take_up_to_end() {
    if (auto there = source_->seek(copy_->next()); !there)
        return there;
    auto heard = clock::now();
    while (!is_stopped() && (options_.follow || copy_->next() < source_->end().next)) {
        auto e = source_->next(200ms);
        if (!e)
            return std::unexpected(std::move(e.error()));
        if (*e) {
            if (auto taken = copy_->take(std::move(**e)); !taken)
                return taken;
            heard = progress_ = clock::now();
        } else if (clock::now() - heard > options_.nats.timeout) {
            // The server that read the stream for this program may be gone.
            const auto end = source_->stream().end();
            if (!end)
                return std::unexpected(end.error());
            if (end->next > copy_->next())
                return fail(errc::timed_out, "NATS: no event came in time");
            heard = clock::now();
        }
    }
    return {};
}

// Repeats the step, with a new connection, as long as its errors may pass.
template <class Step>
result<void> copy_run::persist(Step&& step) {
    while (!is_stopped()) {
        result<void> done = open();
        if (done)
            done = step();
        if (done)
            return done;
        if (!may_pass(done.error().code) || !done.error().file.empty())
            return done;
        if (options_.on_failure)
            options_.on_failure(done.error());
        if (options_.give_up != 0ms && clock::now() - progress_ > options_.give_up)
            return done;
        for (auto waited = 0ms; waited < 500ms && !is_stopped(); waited += 50ms)
            std::this_thread::sleep_for(50ms);
    }
    return {};
}

result<void> copy_run::run() {
    return persist([&] { return take_up_to_end(); });
}

result<promotion> copy_run::promote() {
    promotion done;
    auto persisted = persist([&]() -> result<void> {
        if (auto taken = take_up_to_end(); !taken)
            return taken;
        const journal_id& own = copy_->log().id();
        done.id = own;
        if (copy_->pending() == 0) {
            const auto last = source_->stream().find(copy_->next() - 1);
            if (!last)
                return std::unexpected(last.error());
            const auto before = *last ? takeover_in((*last)->view()) : std::nullopt;
            if (before && before->by == own) {
                done.sequence = copy_->next() - 1;
                done.abandoned = done.sequence - before->abandoned;
                done.was_there = true;
                return {};
            }
        }
        const sequence_number at = copy_->next();
        const sequence_number abandoned = at - copy_->pending();
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        const batch_place place = place_of(copy_->pending() != 0, false);
        stored_event taken_over = stored_event::make(
            promoted_type, at, static_cast<std::uint64_t>(std::chrono::nanoseconds{now}.count()),
            place, payload_of({.by = own, .abandoned = abandoned}));
        if (auto sent = source_->stream().append(at, to_message(taken_over.view(), place, {}, {}));
            !sent)
            return sent;
        done.sequence = at;
        done.abandoned = at - abandoned;
        return copy_->take(std::move(taken_over));
    });
    if (!persisted)
        return std::unexpected(std::move(persisted.error()));
    if (is_stopped())
        return fail(errc::timed_out, "interrupted; the journal may not have been promoted");
    if (auto closed = copy_->close(); !closed)
        return std::unexpected(std::move(closed.error()));
    return done;
}

result<copy_report> copy_run::finish() {
    if (!copy_)
        return report_;
    report_.id = copy_->log().identity().id;
    report_.origin = copy_->log().identity().origin;
    report_.incomplete = copy_->pending();
    report_.next = copy_->next() - copy_->pending();
    if (auto closed = copy_->close(); !closed)
        return std::unexpected(std::move(closed.error()));
    return report_;
}

}  // namespace

result<copy_report> copy_stream(const copy_options& options) {
    copy_run copying{options};
    if (auto done = copying.run(); !done)
        return std::unexpected(std::move(done.error()));
    return copying.finish();
}

result<promotion> promote(const copy_options& options) {
    return copy_run{options}.promote();
}

}  // namespace pawl::relay
