// Row 13, second part: an entity decides each command once, against the right state. Random
// payments with ids, retries, refusals, expected versions, conditions on further streams and
// decisions that are overtaken, against a plain model; entities are evicted all the time, the
// beginning of the log is pruned, so that evicted ones start from a snapshot, and the writer dies
// and is opened again.
#include "../../replay/bank.hpp"
#include "support/drawn_conditions.hpp"
#include "support/entity_model.hpp"
#include "support/failure_text.hpp"
#include "support/generated_log.hpp"
#include "support/histories.hpp"
#include "support/row_program.hpp"
#include "support/workers.hpp"

#include <fmt/core.h>

#include <pawl/codec/encoder.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/entities.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <variant>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

struct wallet {
    struct state {
        std::int64_t balance = 0;
    };
    using events = event_list<bank::deposited, bank::withdrawn>;
    enum class refusal : std::uint8_t { insufficient_funds = 1 };

    // A payment, and what happens while it is decided.
    struct request {
        payment pay;
        stream_condition also{};
        std::function<void()> meanwhile;
    };

    static state initial() { return {}; }
    static void evolve(state& s, const bank::deposited& e) { s.balance += e.amount(); }
    static void evolve(state& s, const bank::withdrawn& e) { s.balance -= e.amount(); }
    static std::expected<void, refusal> decide(const request& c, const state& s, decision& out) {
        c.meanwhile();
        const payment& pay = c.pay;
        if (pay.amount > s.balance)
            return std::unexpected(refusal::insufficient_funds);
        if (pay.amount == 0)
            return {};
        if (c.also.stream != no_stream_id)
            out.require(c.also.stream, c.also.expected);
        if (pay.amount > 0)
            out.append({.stream = pay.account},
                       [&](auto& b) { return bank::Createwithdrawn(b, pay.account, pay.amount); });
        else
            out.append({.stream = pay.account},
                       [&](auto& b) { return bank::Createdeposited(b, pay.account, -pay.amount); });
        if (pay.copied_to != 0)
            out.append({.stream = pay.copied_to},
                       [&](auto& b) { return bank::Createdeposited(b, pay.copied_to, 1); });
        return {};
    }
};

[[nodiscard]] std::string text_of(const answer_to_payment& what) {
    return fmt::format("code {}, conflict on {}, {}refused, {}repeated, {} events from {}",
                       what.code ? to_string(*what.code) : "none", what.conflict,
                       what.refused ? "" : "not ", what.repeated ? "" : "not ", what.events,
                       what.first);
}

class payment_history {
  public:
    payment_history(fs::path directory, std::uint64_t seed)
        : directory_{std::move(directory)}, seed_{seed}, random_{draw(seed, ~std::uint64_t{0})} {}

    // Opens, sends payments, dies; false once something is wrong.
    [[nodiscard]] bool one_life() {
        auto log = writer::open(directory_, options());
        if (!log)
            return found("open: " + log.error().message());
        entities<wallet> of{*log,
                            {},
                            {.capacity = 2, .most_attempts = entity_model::most_attempts},
                            [this](stream_id stream) { return snapshot_of(stream); }};
        ++lives_;
        for (stream_id stream = 1; stream <= entity_model::streams; ++stream) {
            if (!check(of, *log, stream))
                return false;
        }
        for (std::uint64_t left = random_.below(30); left != 0; --left) {
            if (!one_step(of, *log) || !check(of, *log, drawn_stream()))
                return false;
            if (auto polled = log->poll(); !polled)
                return found("poll: " + failure_text(*log, polled.error()));
            if (random_.one_in(30) && !prune(*log))
                return false;
        }
        if (random_.one_in(3)) {
            if (auto closed = log->close(); !closed)
                return found("close: " + failure_text(*log, closed.error()));
        }
        return true;
    }

    [[nodiscard]] std::uint64_t lives() const { return lives_; }
    [[nodiscard]] std::uint64_t sent() const { return sent_; }
    [[nodiscard]] std::uint64_t repeated() const { return repeated_; }
    [[nodiscard]] std::uint64_t pruned() const { return pruned_; }
    [[nodiscard]] std::uint64_t conflicts() const { return conflicts_; }
    [[nodiscard]] const std::string& wrong() const { return wrong_; }

  private:
    [[nodiscard]] static writer_options options() {
        return {.segment_bytes = std::uint64_t{64} << 10,
                .sync = sync_policy::manual(),
                .full = when_full::fail,
                .populate_bytes = 0,
                .expected_streams = 64,
                .command_window = entity_model::window,
                .scrub_bytes_per_second = 0,
                .background_threads = false};
    }

    bool found(std::string what) {
        wrong_ = std::move(what);
        return false;
    }
    [[nodiscard]] stream_id drawn_stream() { return 1 + random_.below(entity_model::streams); }

    // A payment follows from the seed and its number alone, as one that is sent again must.
    [[nodiscard]] payment planned(std::uint64_t number) const {
        const std::uint64_t drawn = draw(seed_, number);
        const auto stream = [](std::uint64_t from) { return 1 + from % entity_model::streams; };
        return {.account = stream(drawn),
                .amount = static_cast<std::int64_t>(drawn / 8 % 20) - 11,
                .copied_to = drawn / 256 % 3 == 0 ? stream(drawn / 1024) : 0};
    }

    [[nodiscard]] sending drawn_sending(const payment& pay, std::uint64_t number) {
        sending by;
        if (!random_.one_in(4))
            by.id = number;
        by.has_other_bytes = random_.one_in(8);
        by.records_refusals = by.id && random_.one_in(2);
        const stream_version at = known_.version(pay.account);
        if (random_.one_in(3))
            by.expected = expect::exactly(random_.one_in(4) ? at + 1 : at);
        // One stream more than is ever written.
        const drawn_conditions also{random_, entity_model::streams + 1, random_.one_in(6),
                                    [&](stream_id stream) { return known_.version(stream); }};
        if (also.broken)
            by.also = *also.broken;
        else if (!also.all.empty())
            by.also = also.all.front();
        // What overtakes a decision is about the payment's own stream, which it would break.
        if (by.also.stream == pay.account)
            by.also = {};
        if (random_.one_in(4))
            by.overtaken = 1 + static_cast<std::uint32_t>(random_.below(3));
        return by;
    }

    [[nodiscard]] bool one_step(entities<wallet>& of, writer& log) {
        if (random_.one_in(5))
            return other_deposit(log, drawn_stream());
        const bool again = next_ != 0 && random_.one_in(3);
        const std::uint64_t back = 1 + random_.below(entity_model::window + 6);
        const std::uint64_t number = again ? next_ - std::min(back, next_) : next_++;
        const payment pay = planned(number);
        sending by = drawn_sending(pay, number);
        // Other bytes make a new command where the id is not known: then it is sent as it is.
        by.has_other_bytes = by.has_other_bytes && by.id && known_.remembers(*by.id);
        const answer_to_payment got = send(of, log, pay, by);
        const answer_to_payment wanted = known_.send(pay, by);
        ++sent_;
        repeated_ += wanted.repeated ? 1U : 0U;
        conflicts_ += wanted.conflict != 0 ? 1U : 0U;
        if (!wrong_.empty())
            return false;
        if (got == wanted)
            return true;
        return found(
            fmt::format("payment {}: {}; it is to be: {}", number, text_of(got), text_of(wanted)));
    }

    // Where an evicted entity starts: at the last prune, or at the beginning of its stream.
    [[nodiscard]] result<entity_start<wallet::state>> snapshot_of(stream_id stream) const {
        return snapshots_.at(stream);
    }

    // Takes a snapshot of every stream, and lets go what only they need. The events of remembered
    // commands stay.
    bool prune(writer& log) {
        for (stream_id stream = 1; stream <= entity_model::streams; ++stream)
            snapshots_.at(stream) = {{known_.balance(stream)}, known_.version(stream)};
        const auto done = log.prune({.before = known_.oldest_remembered()});
        if (!done)
            return found("prune: " + failure_text(log, done.error()));
        pruned_ += done->events;
        return true;
    }

    // Another part of the program appends to the stream.
    bool other_deposit(writer& log, stream_id stream) {
        if (!append_deposit(log, stream))
            return false;
        known_.deposit(stream, 1);
        return true;
    }
    bool append_deposit(writer& log, stream_id stream) {
        const auto placed = encode_.append(
            log, {.stream = stream}, [&](auto& b) { return bank::Createdeposited(b, stream, 1); });
        return placed || found("append: " + failure_text(log, placed.error()));
    }

    [[nodiscard]] answer_to_payment send(entities<wallet>& of, writer& log, const payment& pay,
                                         const sending& by) {
        std::uint32_t left = by.overtaken;
        const wallet::request request{pay, by.also, [&] {
                                          if (left != 0 && append_deposit(log, pay.account))
                                              --left;
                                      }};
        transact_options how{.expected = by.expected};
        if (by.id) {
            message_id id{};
            std::memcpy(id.data(), &*by.id, sizeof *by.id);
            const std::uint64_t bytes = by.has_other_bytes ? ~*by.id : *by.id;
            how.origin.command = reference_to(id, std::as_bytes(std::span{&bytes, 1}));
            how.origin.records_refusals = by.records_refusals;
        }
        const auto done = of.transact(pay.account, request, how);
        if (done)
            return {.repeated = done->repeated,
                    .events = done->events,
                    .first = done->events == 0 ? 0 : done->first.sequence};
        const auto* why = std::get_if<error>(&done.error());
        if (why == nullptr)
            return {.refused = true};
        return {.code = why->code, .conflict = why->code == errc::conflict ? why->stream : 0};
    }

    [[nodiscard]] bool check(entities<wallet>& of, const writer& log, stream_id stream) {
        const auto now = of.read(stream);
        if (!now)
            return found(fmt::format("stream {}: {}", stream, now.error().message()));
        if (now->version != known_.version(stream) || now->state->balance != known_.balance(stream))
            return found(fmt::format("stream {}: version {} and balance {}, not {} and {}", stream,
                                     now->version, now->state->balance, known_.version(stream),
                                     known_.balance(stream)));
        if (log.next_sequence() != known_.next())
            return found(
                fmt::format("the log holds {} events, not {}", log.next_sequence(), known_.next()));
        return true;
    }

    fs::path directory_;
    std::uint64_t seed_;
    random_source random_;
    entity_model known_;
    // One stream more than is ever written; none at 0.
    std::array<entity_start<wallet::state>, entity_model::streams + 2> snapshots_{};
    encoder encode_;
    std::uint64_t next_ = 0;  // the first payment that was never sent
    std::uint64_t lives_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t repeated_ = 0;
    std::uint64_t conflicts_ = 0;
    std::uint64_t pruned_ = 0;  // events
    std::string wrong_;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 13, .name = "entities", .counted = "crashes"}, argc, argv};
    program.target({.quick = 100, .ci = 1'000, .full = 500'000});
    const auto sums = run_histories<payment_history>(
        program, {.directory = "entities", .most_lives = 60},
        [](const payment_history&) { return true; },
        [](const payment_history& told, worker_sums& mine) {
            mine[0] += told.sent();
            mine[1] += told.repeated();
            mine[2] += told.conflicts();
            mine[3] += told.pruned();
        });
    program.detail(fmt::format("{} payments: {} repeated, {} conflicts; {} events pruned", sums[0],
                               sums[1], sums[2], sums[3]));
    return program.finish();
}
