// A reaction keeps a list of the commands that it wants decided: each from the event that asked for
// it until the loop has acknowledged it. Its position never passes the event of one that is in the
// list, and is stored only after what the acknowledged ones led to is durable. So a crash leaves
// every command either in the log or to be asked for again by an event after the position, or both.
//
// Which of them are in the log is what an opened reaction finds out first: it reads from the
// position to the end, filling the list but submitting nothing, and removes a command when it reads
// an event that records the command's id. Events come after those that they were caused by, so a
// single pass is enough. Nothing else can append a command of this reaction meanwhile: the lease is
// taken, and the journal has one writer.
#include "follow/log_places.hpp"
#include "os/assertion.hpp"
#include "os/deadline.hpp"

#include <xxhash.h>

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/detail/guarded.hpp>
#include <pawl/replay/detail/reaction_core.hpp>

#include <algorithm>
#include <cstring>
#include <deque>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace pawl::detail {

namespace {

using std::chrono::steady_clock;

// Which command of which event: the order in which they are asked for.
struct command_place {
    sequence_number cause = 0;
    std::uint16_t number = 0;

    friend constexpr auto operator<=>(const command_place&, const command_place&) = default;
};

// The ids of a reaction's commands: the hash of the journal and the reaction's name, in whose low
// 16 bits the command's number stands, and the sequence. An id of another sender that looks the
// same would also need the same hash of its bytes.
class command_names {
  public:
    command_names(const journal_id& origin, std::string_view name)
        : name_{name},
          family_{XXH3_64bits_withSeed(name_.data(), name_.size(),
                                       XXH3_64bits(origin.data(), origin.size())) &
                  ~number_mask} {}

    [[nodiscard]] command_reference at(command_place place) const noexcept {
        const std::array words{family_ | place.number, place.cause};
        message_id id;
        static_assert(sizeof words == sizeof id);
        std::memcpy(id.data(), words.data(), sizeof id);
        return reference_to(id, std::as_bytes(std::span{name_}));
    }
    // Nothing if the event is not of one of these commands.
    [[nodiscard]] std::optional<command_place> find(const event& in) const noexcept {
        const auto recorded = in.metadata().command();
        if (!recorded)
            return std::nullopt;
        std::array<std::uint64_t, 2> words;
        std::memcpy(words.data(), recorded->id.data(), sizeof words);
        const command_place place{words[1], static_cast<std::uint16_t>(words[0] & number_mask)};
        if (*recorded != at(place))
            return std::nullopt;
        return place;
    }

  private:
    static constexpr std::uint64_t number_mask = 0xffff;

    std::string name_;
    std::uint64_t family_;
};

[[nodiscard]] std::string selection_of(std::span<const std::uint16_t> types) {
    std::string text = "reaction to types";
    char before = ' ';
    std::vector<std::uint16_t> sorted(types.begin(), types.end());
    std::ranges::sort(sorted);
    for (const std::uint16_t type : sorted) {
        text += before;
        text += std::to_string(type);
        before = ',';
    }
    return text;
}

[[nodiscard]] std::uint64_t system_ns() noexcept {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count());
}

}  // namespace

void reaction_outcomes::acknowledge(const error* failed) noexcept {
    if (failed != nullptr) {
        const std::scoped_lock lock{mutex_};
        if (!failure_)
            failure_ = copy_of(*failed);
    }
    acknowledged_.fetch_add(1, std::memory_order_release);
    acknowledged_.notify_all();
}

void reaction_outcomes::wait_for(std::uint64_t acknowledged) const noexcept {
    for (auto now = acknowledged_.load(std::memory_order_acquire); now < acknowledged;
         now = acknowledged_.load(std::memory_order_acquire))
        acknowledged_.wait(now, std::memory_order_acquire);
}

std::optional<error> reaction_outcomes::failure() const {
    const std::scoped_lock lock{mutex_};
    return failure_ ? std::optional{copy_of(*failure_)} : std::nullopt;
}

struct reaction_core::machinery {
    struct wanted_command {
        consumer_position hold;  // before the batch of the event that asked for it
        std::uint64_t due_ns = 0;
        std::optional<std::uint64_t> key{};  // of a timer
        sender send;
        bool sent = false;
    };
    using wanted_map = std::map<command_place, wanted_command>;

    machinery(writer& to, std::string_view name, std::span<const std::uint16_t> listed,
              const reaction_options& chosen, consumer at, cursor from)
        : log{to},
          types{listed},
          options{chosen},
          position{std::move(at)},
          events{std::move(from)},
          names{events.identity().origin, name},
          reached{position.position()},
          caught_up_at{to.published()},
          stored_at{steady_clock::now()} {
        if (!options.clock_ns)
            options.clock_ns = system_ns;
    }

    [[nodiscard]] bool is_catching_up() const noexcept { return reached.point.next < caught_up_at; }

    void want(wanted_command command);
    void forget(wanted_map::iterator which);
    [[nodiscard]] result<void> send(wanted_map::iterator which);
    [[nodiscard]] result<bool> send_due();
    [[nodiscard]] result<bool> read_some(const body& react);
    [[nodiscard]] result<void> take_in(const event& from, const body& react);
    [[nodiscard]] result<void> settle();
    [[nodiscard]] result<bool> step(const body& react);
    [[nodiscard]] result<void> store_position();
    [[nodiscard]] steady_clock::time_point next_look(steady_clock::time_point deadline) const;
    [[nodiscard]] consumer_position safe_position() const noexcept {
        return wanted.empty() ? reached : wanted.begin()->second.hold;
    }

    writer& log;
    std::span<const std::uint16_t> types;
    reaction_options options;
    consumer position;
    cursor events;
    command_names names;
    consumer_position reached;     // every event before it was reacted to
    sequence_number caught_up_at;  // what lies before it may already have been reacted to
    steady_clock::time_point stored_at;

    wanted_map wanted;
    std::set<std::pair<std::uint64_t, command_place>> due;  // of `wanted`, what was not sent
    std::unordered_map<std::uint64_t, command_place> timers;
    std::deque<command_place> in_flight;  // in the order in which the loop acknowledges them
    std::uint64_t settled = 0;            // of the acknowledgements
    std::uint64_t sent = 0;
    std::uint64_t in_the_log = 0;

    std::shared_ptr<reaction_outcomes> outcomes = std::make_shared<reaction_outcomes>();
    std::optional<error> failure;

    // Of the event that is being reacted to.
    sequence_number cause = 0;
    std::uint32_t asked = 0;
};

void reaction_core::machinery::want(wanted_command command) {
    // More than an id can number: the commands of the event are not submitted, and take_in() fails.
    if (++asked > std::numeric_limits<std::uint16_t>::max())
        return;
    const command_place place{cause, static_cast<std::uint16_t>(asked - 1)};
    command.hold = reached;
    if (command.key) {
        if (const auto known = timers.find(*command.key); known != timers.end())
            forget(wanted.find(known->second));
        timers.insert_or_assign(*command.key, place);
    }
    due.emplace(command.due_ns, place);
    wanted.emplace(place, std::move(command));
}

// One that the loop was given is forgotten when it is acknowledged.
void reaction_core::machinery::forget(wanted_map::iterator which) {
    PAWL_ASSERT(which != wanted.end());
    auto& [place, command] = *which;
    if (command.key) {
        if (const auto known = timers.find(*command.key);
            known != timers.end() && known->second == place)
            timers.erase(known);
    }
    if (command.sent)
        return;
    due.erase({command.due_ns, place});
    wanted.erase(which);
}

result<void> reaction_core::machinery::send(wanted_map::iterator which) {
    auto& [place, command] = *which;
    in_flight.push_back(place);
    auto submitted = command.send({.command = names.at(place)});
    if (!submitted) {
        in_flight.pop_back();
        return submitted;
    }
    due.erase({command.due_ns, place});
    command.sent = true;
    command.send = {};
    ++sent;
    return {};
}

result<bool> reaction_core::machinery::send_due() {
    if (is_catching_up() || due.empty())
        return false;
    const std::uint64_t now = options.clock_ns();
    bool any = false;
    while (!due.empty() && due.begin()->first <= now) {
        if (auto done = send(wanted.find(due.begin()->second)); !done)
            return std::unexpected(std::move(done.error()));
        any = true;
    }
    return any;
}

result<void> reaction_core::machinery::take_in(const event& from, const body& react) {
    if (is_catching_up()) {
        if (const auto done = names.find(from)) {
            if (const auto found = wanted.find(*done); found != wanted.end()) {
                forget(found);
                ++in_the_log;
            }
        }
    }
    if (std::ranges::find(types, from.type()) == types.end())
        return {};
    cause = from.sequence();
    asked = 0;
    if (auto done = react(from); !done) {
        if (done.error().sequence == no_value)
            done.error().sequence = from.sequence();
        return done;
    }
    if (asked > std::numeric_limits<std::uint16_t>::max())
        return std::unexpected(error{.code = errc::too_large,
                                     .sequence = from.sequence(),
                                     .size = asked,
                                     .limit = std::numeric_limits<std::uint16_t>::max(),
                                     .reason = "one event leads to too many commands"});
    return {};
}

// Ends with a whole batch.
result<bool> reaction_core::machinery::read_some(const body& react) {
    constexpr std::uint32_t most = 4096;
    std::uint32_t read = 0;
    bool inside_batch = false;
    while (read < most || inside_batch) {
        const event* from = events.next();
        if (from == nullptr)
            break;
        ++read;
        inside_batch = from->more_in_batch();
        if (auto taken = take_in(*from, react); !taken)
            return std::unexpected(std::move(taken.error()));
        if (!inside_batch)
            reached = {from->point(), from->timestamp_ns()};
    }
    PAWL_ASSERT(!inside_batch);
    return read != 0;
}

result<void> reaction_core::machinery::settle() {
    if (auto failed = outcomes->failure())
        return std::unexpected(std::move(*failed));
    for (const std::uint64_t now = outcomes->acknowledged(); settled < now; ++settled) {
        const auto which = wanted.find(in_flight.front());
        PAWL_ASSERT(which != wanted.end() && which->second.sent);
        which->second.sent = false;
        forget(which);
        in_flight.pop_front();
    }
    return {};
}

result<bool> reaction_core::machinery::step(const body& react) {
    if (auto done = settle(); !done)
        return std::unexpected(std::move(done.error()));
    auto read = read_some(react);
    if (!read)
        return read;
    auto submitted = send_due();
    if (!submitted)
        return submitted;
    if (steady_clock::now() - stored_at >= options.checkpoint_interval) {
        if (auto stored = store_position(); !stored)
            return std::unexpected(std::move(stored.error()));
    }
    return *read || *submitted;
}

// A power cut before the sync leaves the position as it was; one after it cannot take an event
// before the position, or one that a command before it led to.
result<void> reaction_core::machinery::store_position() {
    stored_at = steady_clock::now();
    const consumer_position safe = safe_position();
    PAWL_ASSERT(safe.point.next >= position.position().point.next);
    if (safe.point == position.position().point)
        return {};
    if (auto synced = log.sync(); !synced)
        return std::unexpected(std::move(synced.error()));
    return position.commit(safe);
}

steady_clock::time_point reaction_core::machinery::next_look(
    steady_clock::time_point deadline) const {
    constexpr std::chrono::milliseconds soon{1};
    const auto now = steady_clock::now();
    // An acknowledgement does not wake this thread, nor does a clock of the caller's own.
    if (!in_flight.empty())
        deadline = std::min(deadline, now + soon);
    if (!due.empty()) {
        const std::uint64_t clock = options.clock_ns();
        const std::uint64_t left = due.begin()->first - std::min(due.begin()->first, clock);
        constexpr std::uint64_t longest = 20'000'000;
        deadline = std::min(deadline,
                            now + std::chrono::nanoseconds{std::min<std::uint64_t>(left, longest)});
    }
    return deadline;
}

reaction_core::reaction_core(std::unique_ptr<machinery> made) noexcept
    : machinery_{std::move(made)} {}
reaction_core::~reaction_core() = default;

result<std::unique_ptr<reaction_core>> reaction_core::open(writer& log, std::string_view name,
                                                           std::span<const std::uint16_t> types,
                                                           const reaction_options& options) {
    return guarded([&]() -> result<std::unique_ptr<reaction_core>> {
        const std::filesystem::path directory = log.directory();
        const auto begin = [&]() -> result<consumer_position> {
            auto found =
                find_position({.directory = directory,
                               .from = options.from,
                               .show = visibility::published,
                               .allow_network_file_system = options.allow_network_file_system});
            // The position must not name an event that a power cut may take.
            if (auto synced = log.sync(); !synced)
                return std::unexpected(std::move(synced.error()));
            return found;
        };
        auto position =
            consumer::open(directory, name,
                           {.selection = selection_of(types),
                            .replace_selection = options.replace_events,
                            .begin = begin,
                            .allow_network_file_system = options.allow_network_file_system});
        if (!position)
            return std::unexpected(std::move(position.error()));
        auto events = cursor::open(
            directory, {.from = position->resume_from(),
                        .follow = true,
                        .wait = options.wait,
                        .allow_network_file_system = options.allow_network_file_system});
        if (!events)
            return std::unexpected(std::move(events.error()));
        auto made = std::make_unique<machinery>(log, name, types, options, std::move(*position),
                                                std::move(*events));
        return std::unique_ptr<reaction_core>{new reaction_core{std::move(made)}};
    });
}

result<bool> reaction_core::advance(std::chrono::nanoseconds timeout, const body& react) {
    machinery& m = *machinery_;
    if (m.failure)
        return std::unexpected(copy_of(*m.failure));
    auto moved = guarded([&]() -> result<bool> {
        const auto deadline = deadline_after(steady_clock::now(), timeout);
        for (;;) {
            auto some = m.step(react);
            if (!some || *some)
                return some;
            const auto now = steady_clock::now();
            if (now >= deadline)
                return false;
            if (auto more = m.events.wait(m.next_look(deadline) - now); !more)
                return std::unexpected(std::move(more.error()));
        }
    });
    if (!moved)
        m.failure = copy_of(moved.error());
    return moved;
}

result<void> reaction_core::close() {
    machinery& m = *machinery_;
    return guarded([&]() -> result<void> {
        if (!m.failure) {
            m.outcomes->wait_for(m.sent);
            if (auto done = m.settle(); !done)
                return done;
            if (auto stored = m.store_position(); !stored)
                return stored;
        }
        return m.position.close();
    });
}

void reaction_core::submit(sender send) {
    machinery_->want({.hold = {}, .send = std::move(send)});
}
void reaction_core::submit_at(std::uint64_t due_ns, std::uint64_t key, sender send) {
    machinery_->want({.hold = {}, .due_ns = due_ns, .key = key, .send = std::move(send)});
}
void reaction_core::cancel(std::uint64_t key) {
    machinery& m = *machinery_;
    if (const auto known = m.timers.find(key); known != m.timers.end())
        m.forget(m.wanted.find(known->second));
}

const std::shared_ptr<reaction_outcomes>& reaction_core::outcomes() const noexcept {
    return machinery_->outcomes;
}

reaction_statistics reaction_core::statistics() const noexcept {
    const machinery& m = *machinery_;
    return {.next_sequence = m.reached.point.next,
            .committed = m.position.position().point.next,
            .submitted = m.sent,
            .in_the_log = m.in_the_log,
            .waiting = m.timers.size()};
}

}  // namespace pawl::detail
