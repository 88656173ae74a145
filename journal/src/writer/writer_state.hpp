// Everything that a writer owns, and its background work.
#pragma once

#include "append/appender.hpp"
#include "append/segment_supply.hpp"
#include "os/background.hpp"
#include "store/command_index.hpp"
#include "store/heads_file.hpp"
#include "store/writer_lock.hpp"
#include "upkeep/clock_reporter.hpp"
#include "upkeep/counter_board.hpp"
#include "upkeep/durability.hpp"
#include "upkeep/populator.hpp"
#include "upkeep/scrubber.hpp"
#include "upkeep/sealer.hpp"
#include "upkeep/watcher.hpp"
#include "writer/described_types.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/options.hpp>
#include <pawl/journal/recovery_report.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string_view>

namespace pawl::detail {

// What an open gathers before it creates the writer.
struct writer_parts {
    directory_handle directory;
    writer_options options{};
    journal_identity identity{};
    journal_id id{};
    std::uint64_t segment_bytes = 0;
    std::unique_ptr<writer_lock> lock{};
    std::optional<control_page> control{};
    recovery_report report{};
    std::vector<std::uint64_t> to_seal{};
    std::vector<std::uint64_t> to_scrub{};
    std::optional<writable_segment> active{};
    log_heads heads{};
    std::vector<logged_command> commands{};  // the last ones, the oldest first
};

class writer_state {
  public:
    [[nodiscard]] static result<std::unique_ptr<writer_state>> create(writer_parts parts);
    // Stops the background threads and releases everything without a sync: equivalent to a crash.
    ~writer_state();
    writer_state(const writer_state&) = delete;
    writer_state& operator=(const writer_state&) = delete;

    [[nodiscard]] appender& append() noexcept { return *appender_; }
    [[nodiscard]] const appender& append() const noexcept { return *appender_; }
    [[nodiscard]] durability& durable() noexcept { return *durability_; }
    [[nodiscard]] const durability& durable() const noexcept { return *durability_; }
    [[nodiscard]] const segment_supply& supply() const noexcept { return *supply_; }
    [[nodiscard]] const populator& pages() const noexcept { return *populator_; }
    [[nodiscard]] std::uint64_t scrubbed_bytes() const noexcept {
        return scrubbed_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t pruned_segments() const noexcept {
        return pruned_segments_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t failed_prunes() const noexcept {
        return failed_prunes_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] counter_board& counters() noexcept { return counters_; }
    [[nodiscard]] const recovery_report& report() const noexcept { return parts_.report; }
    [[nodiscard]] const std::filesystem::path& directory() const noexcept {
        return parts_.directory.path();
    }
    [[nodiscard]] const journal_id& id() const noexcept { return parts_.id; }
    [[nodiscard]] const journal_identity& identity() const noexcept { return parts_.identity; }
    [[nodiscard]] gate gate_now() const noexcept {
        return gate_of(fork_word_.word().load(std::memory_order_acquire));
    }
    [[nodiscard]] bool gate_is_open() const noexcept {
        return is_open(fork_word_.word().load(std::memory_order_acquire));
    }
    // Why a call is refused if the gate is not open.
    [[nodiscard]] error refusal_now() const noexcept {
        return refusal(fork_word_.word().load(std::memory_order_acquire));
    }

    [[nodiscard]] result<stream_id> stream(std::string_view name, std::uint64_t timestamp_ns);
    [[nodiscard]] result<bool> describe(const type_description& what, std::uint64_t timestamp_ns);
    // Any thread.
    [[nodiscard]] result<prune_report> prune(const prune_options& options);
    [[nodiscard]] result<void> poll();
    [[nodiscard]] result<void> close();

  private:
    writer_state(writer_parts parts, fork_word word) noexcept;
    [[nodiscard]] result<void> assemble();
    [[nodiscard]] result<command_window> remembered_commands();
    [[nodiscard]] result<void> start_threads();
    template <class Step>
    [[nodiscard]] std::chrono::microseconds guarded(const Step& step) noexcept;
    void stop_threads() noexcept;
    void segment_left(std::unique_ptr<live_segment> segment);

    // Each does what is due and returns how long to sleep.
    [[nodiscard]] std::chrono::microseconds flush_step();
    [[nodiscard]] std::chrono::microseconds housekeep_step();
    [[nodiscard]] std::chrono::microseconds seal_step();
    [[nodiscard]] std::chrono::microseconds retain_step();
    [[nodiscard]] std::chrono::microseconds watch_step();
    [[nodiscard]] std::chrono::microseconds scrub_step();

    [[nodiscard]] std::chrono::microseconds until_next_flush() const;
    [[nodiscard]] bool sync_is_due(std::chrono::steady_clock::time_point now) const noexcept;
    void look_for_lost_pages();
    // Checks that the writer's files are still where it put them.
    void look_around();
    // Poisons the writer and calls the observer.
    void fail_background(error why);
    // Whether the calling thread is inside this writer's observer.
    [[nodiscard]] bool inside_observer() const noexcept;
    void adjust_clock() noexcept;
    [[nodiscard]] result<void> end_log();
    [[nodiscard]] result<void> finish_files();
    [[nodiscard]] result<void> release_rest();
    [[nodiscard]] result<void> seal_all();
    [[nodiscard]] result<bool> seal_one();
    [[nodiscard]] result<prune_report> apply_retention();

    writer_parts parts_;
    fork_word fork_word_;
    std::unique_ptr<segment_supply> supply_;
    std::unique_ptr<durability> durability_;
    std::unique_ptr<appender> appender_;
    std::unique_ptr<populator> populator_;
    std::unique_ptr<sealer> sealer_;
    std::unique_ptr<scrubber> scrubber_;
    counter_board counters_;
    std::unique_ptr<watcher> watcher_;
    std::optional<clock_reporter> clock_;  // set in assemble()
    name_map names_;  // those that are not in the runs of heads beneath the appender
    std::uint64_t named_streams_ = 0;
    described_types described_;
    std::uint64_t first_ordinal_ = 0;  // of the segments that this writer fills
    bool closed_ = false;
    std::atomic<bool> reported_failure_{false};

    std::chrono::steady_clock::time_point last_sync_{};
    std::chrono::steady_clock::time_point clock_adjusted_{};
    std::uint32_t faults_seen_ = 0;  // the flusher's own
    std::atomic<std::uint64_t> scrubbed_{0};

    // Held while what is derived from sealed segments is written, and while segments are pruned:
    // neither looks for files that the other is about to make or to remove.
    std::mutex sealed_files_;
    bool retention_due_ = true;  // a segment was sealed since the last look, or there was none yet
    std::chrono::steady_clock::time_point retained_at_{};
    std::atomic<std::uint64_t> pruned_segments_{0};
    std::atomic<std::uint64_t> failed_prunes_{0};

    background_thread flusher_;
    background_thread watching_;
    background_thread housekeeper_;
    background_thread sealing_;
    background_thread scrubbing_;
};

}  // namespace pawl::detail
