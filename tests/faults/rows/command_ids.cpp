// Row 13: a command takes effect once. Random commands, retries, other bytes under a known id,
// commands without events, conflicts, conditions on further streams and on tags, and batches,
// against a plain model that knows what the writer must remember; between them the beginning of the
// log is pruned, and the writer dies, now and then between an append and its reply, and is opened
// again. In the end the log itself says how often each command took effect.
#include "support/drawn_conditions.hpp"
#include "support/failure_text.hpp"
#include "support/generated_log.hpp"
#include "support/histories.hpp"
#include "support/planned_commands.hpp"
#include "support/row_program.hpp"
#include "support/tag_model.hpp"
#include "support/workers.hpp"

#include <fmt/core.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/metadata.hpp>
#include <pawl/journal/writer.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

// How a command was answered.
enum class answer : std::uint8_t { accepted, repeated, reused, conflict, diverged };

[[nodiscard]] std::string_view text_of(answer what) {
    constexpr std::array<std::string_view, 5> texts{"accepted", "repeated", "command_id_reused",
                                                    "conflict", "diverged"};
    return texts[static_cast<std::size_t>(what)];
}

class history {
  public:
    history(fs::path directory, std::uint64_t seed)
        : directory_{std::move(directory)}, seed_{seed}, random_{draw(seed, ~std::uint64_t{0})} {}

    // Opens, sends commands, dies; false once something is wrong.
    [[nodiscard]] bool one_life() {
        {
            auto log = writer::open(directory_, options());
            if (!log)
                return found("open: " + log.error().message());
            named_.begin_life();
            if (!check_window(*log) || !check_tags(*log) || !retry(*log))
                return false;
            const std::size_t effects = known_.log().size();
            const std::uint64_t commands = random_.below(20);
            for (std::uint64_t i = 0; i < commands; ++i) {
                if (!one_step(*log))
                    return false;
                if (auto polled = log->poll(); !polled)
                    return found("poll: " + failure_text(*log, polled.error()));
                named_.remember_point(random_, *log);
            }
            replied_ = known_.log().size() == effects;
            if (random_.one_in(12) && !prune(*log))
                return false;
            if (!check_tags(*log))
                return false;
            if (random_.one_in(6)) {
                replied_ = true;
                if (auto closed = log->close(); !closed)
                    return found("close: " + failure_text(*log, closed.error()));
            }
        }
        ++lives_;
        if (random_.one_in(8))
            remove_something_derived();
        return true;
    }

    // Reads the log: every command that took effect is there once, whole and in order.
    [[nodiscard]] bool check_log() {
        if (lives_ == 0)
            return true;
        const auto report = verify(directory_, {.deep = true});
        if (!report)
            return found("verify: " + report.error().message());
        if (!report->sound())
            return found("verify: " + report->findings[0].what.message());
        auto events = cursor::open(directory_);
        if (!events)
            return found("read: " + events.error().message());
        for (const command_model::effect& effect : known_.log()) {
            if (effect.first < begin_)
                continue;
            const planned_command command{seed_, effect.number};
            for (std::uint32_t part = 0; part < effect.events; ++part) {
                const event* e = events->next();
                if (e == nullptr)
                    return found(fmt::format("the log ends before command {}", effect.number));
                const auto from = e->metadata().command();
                if (!from || from->id != command.id() || e->sequence() != effect.first + part ||
                    !std::ranges::equal(e->payload(), as_payload(command.payload(part))))
                    return found(fmt::format("event {} is not part {} of command {}", e->sequence(),
                                             part, effect.number));
            }
        }
        if (const event* e = events->next())
            return found(
                fmt::format("event {} belongs to no command that took effect", e->sequence()));
        return true;
    }

    [[nodiscard]] std::uint64_t lives() const { return lives_; }
    [[nodiscard]] std::uint64_t sent() const { return sent_; }
    // Commands whose reply a crash took, which were sent again and answered repeated.
    [[nodiscard]] std::uint64_t retried() const { return retried_; }
    [[nodiscard]] std::uint64_t answered(answer what) const {
        return answers_[static_cast<std::size_t>(what)];
    }
    [[nodiscard]] sequence_number pruned() const { return begin_; }
    [[nodiscard]] const std::string& wrong() const { return wrong_; }

  private:
    [[nodiscard]] static writer_options options() {
        return {.segment_bytes = std::uint64_t{64} << 10,
                .sync = sync_policy::manual(),
                .full = when_full::fail,
                .populate_bytes = 0,
                .expected_streams = 64,
                .command_window = command_model::window,
                .scrub_bytes_per_second = 0,
                .background_threads = false};
    }

    bool found(std::string what) {
        wrong_ = std::move(what);
        return false;
    }

    // The last life ended between the append of its last command and the reply, so the command is
    // sent again.
    [[nodiscard]] bool retry(writer& log) {
        if (replied_)
            return true;
        ++retried_;
        const planned_command command{seed_, known_.log().back().number};
        return send(log, command, false, random_.one_in(4));
    }

    // A new command, or one that was sent before; its reply may have been lost with the writer.
    [[nodiscard]] bool one_step(writer& log) {
        if (random_.one_in(6))
            return send_several(log);
        const bool again = next_ != 0 && random_.one_in(3);
        const std::uint64_t back =
            1 + random_.below(std::min(next_, command_model::window + 20) + (next_ == 0));
        const planned_command command{seed_, again ? next_ - std::min(back, next_) : next_};
        next_ += again ? 0U : 1U;
        const bool other_bytes = random_.one_in(8);
        return send(log, command, other_bytes, random_.one_in(8));
    }

    [[nodiscard]] answer expected_answer(const planned_command& command, bool other_bytes,
                                         bool conflicts, tag_verdict tagged) const {
        if (known_.remembered(command.number) != nullptr)
            return other_bytes ? answer::reused : answer::repeated;
        if (command.events == 0)
            return answer::accepted;
        if (!conflicts && tagged == tag_verdict::diverged)
            return answer::diverged;
        return conflicts || tagged == tag_verdict::conflict ? answer::conflict : answer::accepted;
    }

    [[nodiscard]] bool send(writer& log, const planned_command& command, bool other_bytes,
                            bool stale) {
        // One stream more than is ever written.
        const drawn_conditions also{random_, planned_command::streams + 1, random_.one_in(8),
                                    [&](stream_id stream) { return known_.version(stream); }};
        tag_model::condition unless;
        if (!stale && !also.broken && random_.one_in(2))
            named_.draw_condition(random_, log, unless);
        const answer wanted =
            expected_answer(command, other_bytes, stale || also.broken, unless.verdict());
        // Other bytes make a new command where the id is not known: then it is sent as it is.
        const auto reference = reference_to(
            command.id(), as_payload(wanted == answer::reused ? "other bytes" : command.bytes()));
        const std::array entries{entry_of(reference)};
        const sequence_number first = log.next_sequence();
        const auto done =
            append(log, command, entries, stale, {.streams = also.all, .unless = unless.get()});
        ++sent_;
        const auto got = done ? std::optional{answer::accepted} : answer_of(done.error());
        if (!got)
            return found(
                fmt::format("command {}: {}", command.number, failure_text(log, done.error())));
        const bool is_cautious = wanted == answer::accepted && *got == answer::conflict &&
                                 unless.may_be_refused() && done.error().sequence == no_value;
        if (*got != wanted && !is_cautious)
            return found(fmt::format("command {} was {}, where it is to be {} ({})", command.number,
                                     text_of(*got), text_of(wanted), unless.text()));
        ++answers_[static_cast<std::size_t>(*got)];
        if (*got == answer::conflict && unless.verdict() == tag_verdict::conflict &&
            !unless.names(done.error().sequence))
            return found(fmt::format("command {}: event {} does not match its condition on tags",
                                     command.number, done.error().sequence));
        if (*got == answer::conflict && also.broken && !stale && !names(done.error(), *also.broken))
            return found(
                fmt::format("command {}: the conflict is not the broken condition on "
                            "stream {}: {}",
                            command.number, also.broken->stream, failure_text(log, done.error())));
        if (*got == answer::accepted)
            took_effect(command, first);
        else if (log.next_sequence() != first)
            return found(fmt::format("command {} was refused and left an event", command.number));
        return *got != answer::repeated || check_outcome(log, command);
    }

    [[nodiscard]] bool names(const error& why, const stream_condition& broken) const {
        return why.stream == broken.stream && why.actual_version == known_.version(broken.stream);
    }

    // The first outcome again: where it lies, and every event of it.
    [[nodiscard]] bool check_outcome(const writer& log, const planned_command& command) {
        const command_model::effect& effect = *known_.remembered(command.number);
        std::uint32_t part = 0;
        bool right = true;
        const auto read = log.read_command(command.id(), [&](const event& e) {
            right = right && e.sequence() == effect.first + part &&
                    std::ranges::equal(e.payload(), as_payload(command.payload(part)));
            ++part;
        });
        if (effect.first < begin_ && !read && read.error().code == errc::pruned)
            return true;
        if (!read)
            return found(
                fmt::format("command {}: its events: {}", command.number, read.error().message()));
        if (!right || part != effect.events || read->first != effect.first)
            return found(
                fmt::format("command {}: the first outcome is not what it was", command.number));
        return true;
    }

    [[nodiscard]] static std::optional<answer> answer_of(const error& why) {
        switch (why.code) {
            case errc::repeated:
                return answer::repeated;
            case errc::command_id_reused:
                return answer::reused;
            case errc::conflict:
                return answer::conflict;
            case errc::diverged:
                return answer::diverged;
            default:
                return std::nullopt;
        }
    }

    void took_effect(const planned_command& command, sequence_number first) {
        known_.took_effect(command, first);
        const auto type = command.events == 0 ? static_cast<std::uint16_t>(reserved_type::handled)
                                              : command.type();
        for (std::uint32_t part = 0; part < command.recorded_events(); ++part)
            named_.append(type, command.tags(part));
    }

    // The writer knows the last event of each tag.
    [[nodiscard]] bool check_tags(const writer& log) {
        for (tag_id tag = 1; tag <= tag_model::tags + 1; ++tag) {
            if (log.last_named(tag) != named_.last_named(tag))
                return found(fmt::format("tag {} was last named by another event", tag));
        }
        return true;
    }

    // What must be true besides the version of the command's stream.
    struct further_conditions {
        std::span<const stream_condition> streams{};
        const unless_condition* unless = nullptr;
    };

    // One way to append or another; a stale command expects a version that its stream is not at.
    [[nodiscard]] result<receipt> append(writer& log, const planned_command& command,
                                         std::span<const metadata_entry> entries, bool stale,
                                         const further_conditions& also) {
        if (command.events == 0)
            return log.append_handled(entries, as_payload(command.payload(0)));
        const stream_version at = known_.version(command.stream);
        event_header header{.type = command.type(),
                            .stream = command.stream,
                            .expected = expect::exactly(stale ? at + 1 : at),
                            .metadata = entries};
        if (command.events == 1) {
            header.conditions = also.streams;
            header.unless = also.unless;
            const tag_set tags = command.tags(0);
            header.tags = tags;
            return random_.one_in(2) ? log.append(header, as_payload(command.payload(0)))
                                     : reserve_and_commit(log, header, command);
        }
        auto events = log.begin_batch(command.events, std::size_t{command.events} * 1100);
        if (!events)
            return std::unexpected(std::move(events.error()));
        // Any event of the batch may carry the conditions, which are about the log before it.
        const auto carrier = static_cast<std::uint32_t>(random_.below(command.events));
        if (auto added = add(*events, header, command, carrier, also); !added)
            return std::unexpected(std::move(added.error()));
        // The process may end before a batch is committed; here it thinks better of it.
        if (random_.one_in(6)) {
            events->abandon();
            return append(log, command, entries, stale, also);
        }
        return events->commit();
    }

    [[nodiscard]] static result<receipt> reserve_and_commit(writer& log, const event_header& header,
                                                            const planned_command& command) {
        const std::string text = command.payload(0);
        auto place = log.reserve(header, text.size());
        if (!place)
            return std::unexpected(std::move(place.error()));
        std::memcpy(place->payload().data(), text.data(), text.size());
        return place->commit(text.size());
    }

    [[nodiscard]] static result<void> add(batch& events, event_header header,
                                          const planned_command& command, std::uint32_t carrier,
                                          const further_conditions& also) {
        for (std::uint32_t part = 0; part < command.events; ++part) {
            const further_conditions here = part == carrier ? also : further_conditions{};
            header.conditions = here.streams;
            header.unless = here.unless;
            const tag_set tags = command.tags(part);
            header.tags = tags;
            if (auto added = events.append(header, as_payload(command.payload(part))); !added)
                return std::unexpected(std::move(added.error()));
            header.expected = expect::any();
        }
        return {};
    }

    // Several new commands in one batch: all of them, or none if it is abandoned.
    [[nodiscard]] bool send_several(writer& log) {
        std::vector<planned_command> commands;
        const std::uint64_t most = 2 + random_.below(3);
        for (std::uint64_t number = next_; commands.size() < most; ++number) {
            if (const planned_command command{seed_, number}; command.events != 0)
                commands.push_back(command);
        }
        auto events = log.begin_batch(16, std::size_t{16} * 1100);
        if (!events)
            return found("begin_batch: " + failure_text(log, events.error()));
        sequence_number first = log.next_sequence();
        for (const planned_command& command : commands) {
            const auto reference = reference_to(command.id(), as_payload(command.bytes()));
            const std::array entries{entry_of(reference)};
            const event_header header{
                .type = command.type(), .stream = command.stream, .metadata = entries};
            if (auto added = add(*events, header, command, 0, {}); !added)
                return found("batch: " + failure_text(log, added.error()));
        }
        if (random_.one_in(3))
            return true;  // abandoned: all of them may be sent later, as new
        if (auto done = events->commit(); !done)
            return found("commit: " + failure_text(log, done.error()));
        for (const planned_command& command : commands) {
            took_effect(command, first);
            first += command.events;
            ++sent_;
            ++answers_[static_cast<std::size_t>(answer::accepted)];
        }
        next_ = commands.back().number + 1;
        return true;
    }

    // What goes from the log stays known of commands and tags.
    [[nodiscard]] bool prune(writer& log) {
        if (auto synced = log.sync(); !synced)
            return found("sync: " + failure_text(log, synced.error()));
        const auto done = log.prune({.before = random_.below(log.next_sequence() + 1)});
        if (!done)
            return found("prune: " + failure_text(log, done.error()));
        if (done->first_sequence < begin_ || done->first_sequence > log.next_sequence())
            return found(fmt::format("a prune moved the beginning from {} to {}", begin_,
                                     done->first_sequence));
        begin_ = done->first_sequence;
        named_.pruned(begin_);
        return true;
    }

    // After an open, the writer remembers what the model does, and nothing else.
    [[nodiscard]] bool check_window(const writer& log) {
        const std::uint64_t oldest =
            next_ > command_model::window * 2 ? next_ - command_model::window * 2 : 0;
        for (std::uint64_t number = oldest; number < next_ + 3; ++number) {
            const planned_command command{seed_, number};
            const auto got = log.find_command(command.id());
            const command_model::effect* wanted = known_.remembered(number);
            if (got.has_value() != (wanted != nullptr))
                return found(fmt::format("after an open, command {} is {}", number,
                                         got ? "remembered" : "forgotten"));
            if (got && (got->first != wanted->first || got->events != wanted->events))
                return found(fmt::format("after an open, command {} has another outcome", number));
        }
        return true;
    }

    // An index, or a run of stream heads, which an open makes again from the log.
    void remove_something_derived() {
        for (const auto& entry : fs::directory_iterator{directory_}) {
            const bool derived = entry.path().extension() == ".idx" ||
                                 entry.path().filename().string().starts_with("streams");
            if (derived && random_.one_in(2)) {
                fs::remove(entry.path());
                return;
            }
        }
    }

    fs::path directory_;
    std::uint64_t seed_;
    random_source random_;
    command_model known_;
    tag_model named_;
    sequence_number begin_ = 0;  // of the log: what lies before was pruned
    std::uint64_t next_ = 0;     // the first command that was never sent
    std::uint64_t lives_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t retried_ = 0;
    bool replied_ = true;  // the last command of the life before
    std::array<std::uint64_t, 5> answers_{};
    std::string wrong_;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 13, .name = "command_ids", .counted = "crashes"}, argc, argv};
    program.target({.quick = 400, .ci = 14'000, .full = 1'000'000});
    const auto sums = run_histories<history>(
        program, {.directory = "journal", .most_lives = 60},
        [](history& told) { return told.check_log(); },
        [](const history& told, worker_sums& mine) {
            mine[0] += told.sent();
            for (const answer what : {answer::accepted, answer::repeated, answer::reused,
                                      answer::conflict, answer::diverged})
                mine[1 + static_cast<std::size_t>(what)] += told.answered(what);
            mine[6] += told.retried();
            mine[7] += told.pruned();
        });
    program.detail(
        fmt::format("{} commands: {} took effect, {} repeated, {} with other bytes, {} "
                    "conflicts, {} of points that diverged; {} whose reply a crash took, all "
                    "repeated; {} events pruned",
                    sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7]));
    return program.finish();
}
