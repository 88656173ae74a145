// How a run finds or begins its build, and what it does with events that were parked.
#include "sqlite/projection/projection_run.hpp"

#include <pawl/sqlite/projection_catalog.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <system_error>
#include <utility>

namespace pawl::detail {

namespace {

constexpr std::size_t longest_name = 50;
constexpr std::size_t longest_prefix = 10;

[[nodiscard]] bool is_plain(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

[[nodiscard]] result<void> check(const projection_type& type, const failure_policy& policy,
                                 const std::string& prefix) {
    if (prefix.size() > longest_prefix || !std::ranges::all_of(prefix, is_plain))
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .reason = "projector_options::consumer_prefix is at most 10 of a-z, 0-9, _ and -",
                  .detail = prefix});
    const std::string_view name = type.name;
    if (name.empty() || name.size() > longest_name || !std::ranges::all_of(name, is_plain) ||
        name.front() == '_' || name.front() == '-')
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .reason = "a projection's name is 1 to 50 of a-z, 0-9, _ and -, and begins with "
                            "a letter or digit",
                  .detail = std::string{name}});
    if (std::holds_alternative<park_key>(policy) && type.key == nullptr)
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .reason = "park_key needs a key() for every event of the projection",
                  .detail = std::string{name}});
    return {};
}

// A consumer says in which database its projection is; of a long path, the end.
[[nodiscard]] std::string selection_before_path(const projection_build& build) {
    return "projection " + build.name + ", version " + std::to_string(build.version) + ", in ";
}
[[nodiscard]] std::string path_in_selection(const std::string& database) {
    constexpr std::size_t longest_path = 1500;
    return database.substr(database.size() - std::min(database.size(), longest_path));
}

// Fails if the consumer is that of a projection in another database, which would lose the events
// that a prune then no longer keeps for it. A database that is gone, or in which the projection was
// dropped, needs none.
[[nodiscard]] result<void> check_not_of_another(const std::filesystem::path& journal,
                                                const projection_build& build,
                                                const std::string& database) {
    const auto all = list_consumers(journal);
    if (!all)
        return {};  // opening the consumer fails, too, and says why
    const auto found = std::ranges::find(all->consumers, build.consumer, &consumer_info::name);
    const std::string before_path = selection_before_path(build);
    if (found == all->consumers.end() || !found->selection.starts_with(before_path))
        return {};
    const std::string other = found->selection.substr(before_path.size());
    std::error_code failed;
    if (other == path_in_selection(database) ||
        std::filesystem::equivalent(other, database, failed))
        return {};
    const auto there = list_projections(other);
    if (!there ||
        std::ranges::find(*there, build.consumer, &projection_info::consumer) == there->end())
        return {};
    return std::unexpected(
        error{.code = errc::invalid_argument,
              .reason = "this database keeps the same projection of the journal: give one of the "
                        "two a projector_options::consumer_prefix",
              .file = other,
              .detail = "consumer " + build.consumer});
}

}  // namespace

projection_run::projection_run(projector_shared& shared, const projection_type& type,
                               const failure_policy& policy)
    : shared_{shared}, type_{type}, policy_{policy} {
    build_.name = type.name;
    build_.version = type.version;
    build_.directory = shared.directory.string();
    const std::string& prefix = shared.options.consumer_prefix;
    build_.consumer =
        (prefix.empty() ? "" : prefix + '.') + build_.name + ".v" + std::to_string(type.version);
    progress_.status.version = type.version;
}

result<std::unique_ptr<projection_run>> projection_run::open(projector_shared& shared,
                                                             const projection_type& type,
                                                             const failure_policy& policy) {
    if (auto fine = check(type, policy, shared.options.consumer_prefix); !fine)
        return std::unexpected(std::move(fine.error()));
    std::unique_ptr<projection_run> made{new projection_run{shared, type, policy}};
    if (auto found = made->find_build(); !found)
        return std::unexpected(std::move(found.error()));
    if (auto opened = made->open_consumer(); !opened)
        return std::unexpected(std::move(opened.error()));
    if (made->build_.id == 0) {
        if (auto begun = made->start_build(); !begun) {
            // A consumer without a build would hold back prunes for ever. One that was there before
            // may be another database's.
            (void)made->consumer_->close();
            if (made->consumer_is_new_)
                (void)drop_consumer(shared.directory, made->build_.consumer);
            return std::unexpected(std::move(begun.error()));
        }
    }
    made->reached_ = made->build_.position;
    // Until advance() has found out what to do otherwise, wait_for() returns nothing of it.
    made->progress_.is_of_journal = made->open_events().has_value();
    made->publish();
    return made;
}

// Of several builds of this version, the newest: an older one was wrong, and is being replaced.
result<void> projection_run::find_build() {
    auto all = shared_.store.builds();
    if (!all)
        return std::unexpected(std::move(all.error()));
    for (projection_build& each : *all) {
        if (each.name != build_.name || each.version != build_.version)
            continue;
        each.directory = build_.directory;
        each.consumer = build_.consumer;
        build_ = std::move(each);
        sql_.emplace(shared_.database, shared_.guard, prefix_of(build_.name, build_.id));
    }
    return {};
}

result<void> projection_run::start_build() {
    auto all = sql_transaction::begin(shared_.database);
    if (!all)
        return std::unexpected(std::move(all.error()));
    projection_build fresh = build_;
    fresh.state = projection_state::building;
    fresh.position = {};
    fresh.applied = 0;
    if (auto added = shared_.store.add(fresh); !added)
        return added;
    sql_.emplace(shared_.database, shared_.guard, prefix_of(fresh.name, fresh.id));
    projection_tables to{*sql_};
    if (auto made = type_.create(to); !made)
        return made;
    if (auto fine = shared_.store.check_view_names(fresh); !fine)
        return fine;
    // The events from 0 on are needed again: fails with pruned if they are gone.
    if (consumer_->position().point.next != 0)
        if (auto held = consumer_->commit({}); !held)
            return held;
    if (auto done = all->commit(); !done)
        return done;
    build_ = std::move(fresh);
    reached_ = {};
    replace_failures({});
    careful_at_.reset();
    publish();
    return {};
}

result<void> projection_run::open_consumer() {
    auto failed = load_failures();
    if (!failed)
        return std::unexpected(std::move(failed.error()));
    if (!failed->parked.empty() && type_.key == nullptr)
        return std::unexpected(
            error{.code = errc::invalid_argument,
                  .sequence = failed->parked.begin()->first,
                  .reason = "events are parked, and the projection no longer has the key() that "
                            "keeps later ones from overtaking them: retry or drop them first",
                  .detail = build_.name});
    replace_failures(std::move(*failed));
    const char* const named = sqlite3_db_filename(&shared_.database.get(), "main");
    const std::string database = named != nullptr ? named : "";
    if (auto own = check_not_of_another(shared_.directory, build_, database); !own)
        return own;
    auto opened =
        consumer::open(shared_.directory, build_.consumer,
                       {.selection = selection_before_path(build_) + path_in_selection(database),
                        .replace_selection = true,
                        .begin = [&]() -> result<consumer_position> {
                            consumer_is_new_ = true;
                            return held_position();
                        },
                        .sync_interval = std::chrono::seconds{1},
                        .allow_network_file_system = shared_.options.allow_network_file_system});
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    consumer_ = std::move(*opened);
    // The database counts: it may be older than the consumer, or newer.
    return hold(true);
}

result<projection_run::failures> projection_run::load_failures() const {
    failures found;
    if (build_.id == 0)
        return found;
    auto parked = shared_.store.parked(build_.id);
    if (!parked)
        return std::unexpected(std::move(parked.error()));
    auto skipped = shared_.store.skipped(build_.id);
    if (!skipped)
        return std::unexpected(std::move(skipped.error()));
    for (parked_row& each : *parked) {
        ++found.keys[each.key];
        found.parked.emplace(each.sequence, std::move(each));
    }
    for (const skipped_row& each : *skipped)
        found.skipped.insert(each.sequence);
    return found;
}

void projection_run::replace_failures(failures by) noexcept {
    const std::scoped_lock lock{shared_.mutex};
    progress_.parked = std::move(by.parked);
    progress_.skipped = std::move(by.skipped);
    parked_keys_ = std::move(by.keys);
}

result<void> projection_run::retry_asked() {
    std::set<std::string> keys;
    for (const auto& [sequence, row] : progress_.parked)
        if (row.retry)
            keys.insert(row.key);
    for (const std::string& each : keys)
        if (auto done = retry(each); !done)
            return std::unexpected(std::move(done.error()));
    return {};
}

result<std::optional<error>> projection_run::apply_parked(const parked_row& row) {
    auto events = cursor::open(shared_.directory, {.from = from_sequence{row.sequence},
                                                   .allow_network_file_system =
                                                       shared_.options.allow_network_file_system});
    if (!events)
        return std::unexpected(std::move(events.error()));
    const event* e = events->next();
    if (e == nullptr) {
        auto end = events->finish();
        return std::unexpected(end ? error{.code = errc::not_found, .sequence = row.sequence}
                                   : std::move(end.error()));
    }
    if (e->sequence() != row.sequence || e->content_hash() != row.content_hash)
        return std::unexpected(error{.code = errc::diverged,
                                     .sequence = row.sequence,
                                     .reason = "the journal has another event than was parked"});
    auto done = apply(*e);
    if (done)
        return std::optional<error>{};
    if (is_of_machine(done.error()))
        return std::unexpected(std::move(done.error()));
    return std::optional{std::move(done.error())};
}

// Up to the first that fails again: those after it would otherwise overtake it.
result<retry_report> projection_run::retry_rows(const std::vector<parked_row>& rows) {
    const sql_database& in = shared_.database;
    retry_report report;
    for (const parked_row& each : rows) {
        if (auto begun = in.run("savepoint event"); !begun)
            return std::unexpected(std::move(begun.error()));
        auto failed = apply_parked(each);
        if (!failed)
            return std::unexpected(std::move(failed.error()));
        result<void> done{};
        if (*failed) {
            report.why = (*failed)->message();
            done = in.run("rollback to event");
            if (done)
                done = shared_.store.record_retry(build_.id, each.sequence, report.why);
        } else {
            done = shared_.store.unpark(build_.id, each.sequence);
            ++report.applied;
        }
        if (done)
            done = in.run("release event");
        if (!done)
            return std::unexpected(std::move(done.error()));
        if (*failed)
            break;
    }
    report.left = rows.size() - report.applied;
    return report;
}

// All in one transaction, so that no event of the key can come in between.
result<retry_report> projection_run::retry(std::string_view key) {
    std::vector<parked_row> rows;
    for (const auto& [sequence, row] : progress_.parked)
        if (row.key == key)
            rows.push_back(row);
    if (rows.empty())
        return std::unexpected(error{.code = errc::not_found,
                                     .reason = "no event is parked under that key",
                                     .detail = std::string{key}});
    auto all = sql_transaction::begin(shared_.database);
    if (!all)
        return std::unexpected(std::move(all.error()));
    auto report = retry_rows(rows);
    if (!report)
        return report;
    projection_build to = build_;
    to.applied += report->applied;
    auto done = shared_.store.move(to, build_.position.point.next);
    if (done && has_stopped_)  // still
        done = shared_.store.record_stop(build_.id, progress_.status.stopped->message());
    if (!done)
        return std::unexpected(std::move(done.error()));
    if (auto asked = shared_.store.ask_for_retry(build_.id, key, false); !asked)
        return std::unexpected(std::move(asked.error()));
    // Before the commit, after which nothing may fail: an event would be applied once more.
    auto left = load_failures();
    if (!left)
        return std::unexpected(std::move(left.error()));
    if (auto committed = all->commit(); !committed)
        return std::unexpected(std::move(committed.error()));
    build_ = std::move(to);
    replace_failures(std::move(*left));
    publish();
    return report;
}

result<std::uint64_t> projection_run::give_up(std::string_view key) {
    if (!parked_keys_.contains(key))
        return std::unexpected(error{.code = errc::not_found,
                                     .reason = "no event is parked under that key",
                                     .detail = std::string{key}});
    auto all = sql_transaction::begin(shared_.database);
    if (!all)
        return std::unexpected(std::move(all.error()));
    auto count = shared_.store.give_up(build_.id, key);
    if (!count)
        return count;
    auto left = load_failures();
    if (!left)
        return std::unexpected(std::move(left.error()));
    if (auto done = all->commit(); !done)
        return std::unexpected(std::move(done.error()));
    replace_failures(std::move(*left));
    publish();
    return count;
}

}  // namespace pawl::detail
