// One projection that is being followed: its build, its place in the journal, and its transactions.
#pragma once

#include "sqlite/projection/projection_sql.hpp"
#include "sqlite/projection/projection_store.hpp"

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/cursor.hpp>
#include <pawl/sqlite/projector.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::detail {

// Whether an error says nothing about the event during which it occurred.
[[nodiscard]] bool is_of_machine(const error& why) noexcept;

// What other threads see of a projection, under the projector's mutex.
struct projection_progress {
    projection_status status{};
    std::map<sequence_number, parked_row> parked;
    std::set<sequence_number> skipped;
    // The journal had the events that the build shows when that was last looked at.
    bool is_of_journal = false;
};

// What all projections of a projector share.
struct projector_shared {
    std::filesystem::path directory;
    projector_options options;
    sql_database database;
    projection_store store;
    statement_guard guard;
    mutable std::mutex mutex;  // guards each projection_progress and `closed`
    mutable std::condition_variable moved;
    bool closed = false;

    projector_shared(std::filesystem::path journal, projector_options how, sql_database opened)
        : directory{std::move(journal)},
          options{std::move(how)},
          database{std::move(opened)},
          store{database},
          guard{database} {}
};

class projection_run {
  public:
    // Finds or creates the build.
    [[nodiscard]] static result<std::unique_ptr<projection_run>> open(projector_shared& shared,
                                                                      const projection_type& type,
                                                                      const failure_policy& policy);

    [[nodiscard]] const projection_type& type() const noexcept { return type_; }
    [[nodiscard]] const projection_build& build() const noexcept { return build_; }
    [[nodiscard]] const projection_progress& progress() const noexcept { return progress_; }
    [[nodiscard]] bool has_stopped() const noexcept { return has_stopped_; }

    // One transaction; true if it did something. An error has stopped the projection.
    [[nodiscard]] result<bool> advance();
    // Until there is an event; an error is found by the next advance().
    void wait(std::chrono::nanoseconds timeout);

    [[nodiscard]] result<retry_report> retry(std::string_view key);
    [[nodiscard]] result<std::uint64_t> give_up(std::string_view key);
    // Stores the position and puts the consumer's on stable storage.
    [[nodiscard]] result<void> close();

  private:
    enum class batch_end : std::uint8_t { idle, moved, try_again };
    // A transaction, and what becomes true with it.
    struct batch {
        std::optional<sql_transaction> transaction{};
        consumer_position position{};  // never inside a batch of the log
        std::uint64_t applied = 0;
        std::vector<parked_row> parked{};
        std::vector<skipped_row> skipped{};
        bool event_failed = false;  // and not the machine
    };

    projection_run(projector_shared& shared, const projection_type& type,
                   const failure_policy& policy);
    [[nodiscard]] result<void> find_build();
    [[nodiscard]] result<void> start_build();
    [[nodiscard]] result<void> open_consumer();
    // What is recorded of events that failed.
    struct failures {
        std::map<sequence_number, parked_row> parked{};
        std::map<std::string, std::size_t, std::less<>> keys{};  // of the parked ones
        std::set<sequence_number> skipped{};
    };
    [[nodiscard]] result<failures> load_failures() const;
    void replace_failures(failures by) noexcept;
    [[nodiscard]] result<void> retry_asked();

    [[nodiscard]] result<cursor> open_events() const;
    // Opens the cursor; false if another build has begun instead.
    [[nodiscard]] result<bool> find_place();
    [[nodiscard]] result<bool> advance_to_commit();
    [[nodiscard]] result<batch_end> run_batch();
    [[nodiscard]] result<void> read_batch(batch& into);
    [[nodiscard]] result<void> take(batch& into, const event& from);
    [[nodiscard]] result<void> take_carefully(batch& into, const event& from);
    [[nodiscard]] result<void> handle_failure(batch& into, const event& from, error why);
    [[nodiscard]] result<bool> follows_parked(batch& into, const event& from);
    [[nodiscard]] result<void> park(batch& into, const event& from, std::string key,
                                    std::string why);
    [[nodiscard]] result<void> begin(batch& into) const;
    [[nodiscard]] result<void> commit(batch& done);
    [[nodiscard]] result<void> store_position();
    void adopt(batch& done);
    [[nodiscard]] result<void> swap();
    [[nodiscard]] result<void> hold(bool now);
    [[nodiscard]] consumer_position held_position() const;
    // Why `apply` failed again; an error is of the journal or the machine.
    [[nodiscard]] result<std::optional<error>> apply_parked(const parked_row& row);
    [[nodiscard]] result<retry_report> retry_rows(const std::vector<parked_row>& rows);
    [[nodiscard]] result<void> apply(const event& from);

    [[nodiscard]] bool wants(std::uint16_t type) const noexcept;
    [[nodiscard]] bool has_key(const batch& of, const std::string& key) const;
    void publish();
    void stop(const error& why);

    projector_shared& shared_;
    projection_type type_;
    failure_policy policy_;
    projection_build build_;
    std::optional<projection_sql> sql_;
    std::optional<consumer> consumer_;
    bool consumer_is_new_ = false;
    std::optional<cursor> events_;
    consumer_position reached_{};  // passed, if also without a transaction of its own
    // The batch of the log in which an event failed: each of its events gets a savepoint.
    std::optional<sequence_number> careful_at_;
    std::chrono::steady_clock::time_point next_store_{};
    std::chrono::steady_clock::time_point next_hold_{};
    std::map<std::string, std::size_t, std::less<>> parked_keys_;
    projection_progress progress_;
    bool at_end_ = false;
    bool retries_done_ = false;  // those that were asked for while no program followed the build
    bool has_stopped_ = false;
};

}  // namespace pawl::detail
