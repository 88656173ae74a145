#include "os/deadline.hpp"
#include "os/file.hpp"
#include "sqlite/projection/database_owner.hpp"
#include "sqlite/projection/projection_run.hpp"

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/sqlite/projector.hpp>

#include <algorithm>
#include <utility>

namespace pawl::detail {

using std::chrono::steady_clock;

class projector_state {
  public:
    [[nodiscard]] static result<std::unique_ptr<projector_state>> open(
        const std::filesystem::path& directory, const std::filesystem::path& path,
        projector_options options) {
        auto database = sql_database::open(path, sql_database::access::create);
        if (!database)
            return std::unexpected(std::move(database.error()));
        auto owner = database_owner::take(path);
        if (!owner)
            return std::unexpected(std::move(owner.error()));
        if (auto ready = database->prepare_for_writer(); !ready)
            return std::unexpected(std::move(ready.error()));
        auto made = std::make_unique<projector_state>(std::move(*owner), absolute_path(directory),
                                                      std::move(options), std::move(*database));
        if (auto created = made->shared_.store.create(); !created)
            return std::unexpected(std::move(created.error()));
        return made;
    }

    projector_state(database_owner owner, std::filesystem::path directory,
                    projector_options options, sql_database database)
        : owner_{std::move(owner)},
          shared_{std::move(directory), std::move(options), std::move(database)} {}

    [[nodiscard]] result<void> add(const projection_type& type, const failure_policy& policy) {
        if (auto usable = check_open(); !usable)
            return usable;
        if (find(type.name) != nullptr)
            return std::unexpected(error{.code = errc::invalid_argument,
                                         .reason = "a projection of that name was added before",
                                         .detail = std::string{type.name}});
        auto made = projection_run::open(shared_, type, policy);
        if (!made)
            return std::unexpected(std::move(made.error()));
        const std::scoped_lock lock{shared_.mutex};
        runs_.push_back(std::move(*made));
        return {};
    }

    [[nodiscard]] result<bool> advance(std::chrono::nanoseconds timeout) {
        if (auto usable = check_open(); !usable)
            return std::unexpected(std::move(usable.error()));
        auto moved = advance_all();
        if (!moved || *moved || timeout.count() <= 0)
            return moved;
        const auto waiting = std::ranges::find_if_not(runs_, &projection_run::has_stopped);
        if (waiting == runs_.end())
            return false;
        (*waiting)->wait(timeout);
        return advance_all();
    }

    [[nodiscard]] projected::outcome wait_for(std::string_view name, sequence_number sequence,
                                              std::chrono::nanoseconds timeout) const {
        const auto deadline = deadline_after(steady_clock::now(), timeout);
        std::unique_lock lock{shared_.mutex};
        for (;;) {
            if (auto known = outcome_of(name, sequence))
                return std::move(*known);
            if (shared_.moved.wait_until(lock, deadline) == std::cv_status::timeout)
                break;
        }
        if (auto known = outcome_of(name, sequence))
            return std::move(*known);
        const projection_status& status = find(name)->progress().status;
        return projected::late{.next = status.next, .building = !status.live};
    }

    [[nodiscard]] result<projection_status> status(std::string_view name) const {
        const std::scoped_lock lock{shared_.mutex};
        const projection_run* run = find(name);
        if (run == nullptr)
            return std::unexpected(not_added(name));
        const projection_status& from = run->progress().status;
        projection_status copy{.version = from.version,
                               .live = from.live,
                               .next = from.next,
                               .applied = from.applied,
                               .parked = from.parked,
                               .skipped = from.skipped};
        if (from.stopped)
            copy.stopped = copy_of(*from.stopped);
        return copy;
    }

    [[nodiscard]] result<std::vector<parked_event>> parked(std::string_view name) const {
        const std::scoped_lock lock{shared_.mutex};
        const projection_run* run = find(name);
        if (run == nullptr)
            return std::unexpected(not_added(name));
        std::vector<parked_event> all;
        for (const auto& [sequence, row] : run->progress().parked)
            all.push_back({.sequence = sequence, .key = row.key, .why = row.why});
        return all;
    }

    [[nodiscard]] result<projection_run*> run_of(std::string_view name) const {
        if (auto usable = check_open(); !usable)
            return std::unexpected(std::move(usable.error()));
        projection_run* run = find(name);
        if (run == nullptr)
            return std::unexpected(not_added(name));
        return run;
    }

    [[nodiscard]] result<void> drop(std::string_view name, std::uint32_t version) {
        if (auto usable = check_open(); !usable)
            return usable;
        if (const projection_run* run = find(name);
            run != nullptr && run->build().version == version)
            return std::unexpected(error{.code = errc::busy,
                                         .reason = "this version of the projection is in use",
                                         .detail = std::string{name}});
        return drop_builds(shared_.database, name, version);
    }

    [[nodiscard]] result<void> close() {
        if (auto usable = check_open(); !usable)
            return usable;
        result<void> all{};
        for (const auto& run : runs_)
            if (auto done = run->close(); !done && all)
                all = std::move(done);
        {
            const std::scoped_lock lock{shared_.mutex};
            shared_.closed = true;
            shared_.moved.notify_all();
        }
        shared_.database.close();
        owner_.release();
        return all;
    }

  private:
    [[nodiscard]] result<void> check_open() const {
        if (!shared_.closed)
            return {};
        return std::unexpected(
            error{.code = errc::closed, .reason = "the projector has been closed"});
    }

    [[nodiscard]] static error not_added(std::string_view name) {
        return {.code = errc::not_found,
                .reason = "no projection of that name was added",
                .detail = std::string{name}};
    }

    [[nodiscard]] projection_run* find(std::string_view name) const {
        const auto at = std::ranges::find_if(
            runs_, [&](const auto& each) { return each->type().name == name; });
        return at == runs_.end() ? nullptr : at->get();
    }

    // With the mutex held. Nothing while it is worth waiting.
    [[nodiscard]] std::optional<projected::outcome> outcome_of(std::string_view name,
                                                               sequence_number sequence) const {
        const projection_run* run = find(name);
        if (run == nullptr)
            return projected::stopped{.event = sequence, .why = not_added(name)};
        const projection_progress& now = run->progress();
        if (now.status.live && now.is_of_journal && now.status.next > sequence) {
            if (const auto parked = now.parked.find(sequence); parked != now.parked.end())
                return projected::parked{parked->second.key};
            if (now.skipped.contains(sequence))
                return projected::skipped{};
            return projected::reached{};
        }
        if (now.status.stopped) {
            const error& why = *now.status.stopped;
            return projected::stopped{
                .event = why.sequence == no_value ? now.status.next : why.sequence,
                .why = copy_of(why)};
        }
        if (auto usable = check_open(); !usable)
            return projected::stopped{.event = now.status.next, .why = std::move(usable.error())};
        return std::nullopt;
    }

    [[nodiscard]] result<bool> advance_all() {
        bool moved = false;
        bool all_stopped = true;
        std::optional<error> failure;
        for (const auto& run : runs_) {
            const bool had_stopped = run->has_stopped();
            if (auto done = had_stopped ? result<bool>{false} : run->advance(); !done)
                failure = std::move(done.error());
            else
                moved = moved || *done;
            all_stopped = all_stopped && had_stopped;
        }
        if (all_stopped && !runs_.empty())
            return runs_.front()->advance();
        if (failure)
            return std::unexpected(std::move(*failure));
        return moved;
    }

    database_owner owner_;
    projector_shared shared_;
    std::vector<std::unique_ptr<projection_run>> runs_;
};

}  // namespace pawl::detail

namespace pawl {

projector::projector(std::unique_ptr<detail::projector_state> state) noexcept
    : state_{std::move(state)} {}
projector::projector(projector&&) noexcept = default;
projector& projector::operator=(projector&&) noexcept = default;
projector::~projector() = default;

result<projector> projector::open(const std::filesystem::path& directory,
                                  const std::filesystem::path& database,
                                  projector_options options) {
    return detail::guarded([&]() -> result<projector> {
        auto state = detail::projector_state::open(directory, database, std::move(options));
        if (!state)
            return std::unexpected(std::move(state.error()));
        return projector{std::move(*state)};
    });
}

result<bool> projector::advance(std::chrono::nanoseconds timeout) {
    return detail::guarded([&] { return state_->advance(timeout); });
}
result<void> projector::drop(std::string_view name, std::uint32_t version) {
    return detail::guarded([&] { return state_->drop(name, version); });
}
result<void> projector::close() {
    return detail::guarded([&] { return state_->close(); });
}
result<void> projector::add_type(const detail::projection_type& type,
                                 const failure_policy& on_failure) {
    return detail::guarded([&] { return state_->add(type, on_failure); });
}
projected::outcome projector::wait_for_named(std::string_view name, sequence_number sequence,
                                             std::chrono::nanoseconds timeout) const {
    auto found = detail::guarded(
        [&]() -> result<projected::outcome> { return state_->wait_for(name, sequence, timeout); });
    return found ? std::move(*found)
                 : projected::stopped{.event = sequence, .why = std::move(found.error())};
}
result<projection_status> projector::status_of(std::string_view name) const {
    return detail::guarded([&] { return state_->status(name); });
}
result<std::vector<parked_event>> projector::parked_of(std::string_view name) const {
    return detail::guarded([&] { return state_->parked(name); });
}
result<retry_report> projector::retry_key(std::string_view name, std::string_view key) {
    return detail::guarded([&]() -> result<retry_report> {
        auto run = state_->run_of(name);
        return run ? (*run)->retry(key) : std::unexpected(std::move(run.error()));
    });
}
result<std::uint64_t> projector::drop_key(std::string_view name, std::string_view key) {
    return detail::guarded([&]() -> result<std::uint64_t> {
        auto run = state_->run_of(name);
        return run ? (*run)->give_up(key) : std::unexpected(std::move(run.error()));
    });
}

}  // namespace pawl
