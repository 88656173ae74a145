// Checks the snapshots of a journal against its log.
//
//     auto audit = pawl::snapshot_audit::open("orders");
//     auto report = pawl::verify("orders", {.visit = [&](const auto& e) { audit->add(e); }});
//     const auto rejected = audit->finish({report->id, report->origin});
//     for (const auto& each : *rejected)
//         use(each.path, each.why.message());
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/replay/log_digest.hpp>
#include <pawl/replay/snapshot.hpp>
#include <pawl/replay/snapshot_store.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <vector>

namespace pawl {

// Reads the headers of all snapshots, of every fold and state version, and receives the log once,
// in order. For each snapshot it checks that the log point is in the log and that the digest of all
// events up to it is the stored one. One thread at a time uses it. Changes nothing.
class snapshot_audit {
  public:
    // Reads every file with a snapshot's name in DIR/snapshots, or in `snapshots` if that is not
    // empty: the header, and the payload piece by piece to check its hash. Call it before reading
    // the log, so that a snapshot taken meanwhile is not compared with a log that does not reach it
    // yet. Fails with io if the directory cannot be listed; a directory that does not exist holds
    // no snapshots.
    [[nodiscard]] static result<snapshot_audit> open(const std::filesystem::path& directory,
                                                     const std::filesystem::path& snapshots = {});

    // The next event. After a missing sequence only log points are compared, because the digest is
    // no longer known. Cost: an addition, and a comparison with the next point.
    void add(const event& next) noexcept;

    // Returns the unusable snapshots, by path, and why: damaged, diverged (of another origin, or
    // with a log point or digest that is not this log's), newer_format, io. Call it once, after the
    // last event. Fails with out_of_memory.
    [[nodiscard]] result<std::vector<rejected_snapshot>> finish(const journal_identity& journal);

    // The number of snapshots checked, including rejected ones.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

  private:
    struct whole_snapshot {
        snapshot_info info;
        bool same_frame = true;  // its log point has the frame hash of this log
        std::optional<error> misfit{};
    };

    snapshot_audit() = default;
    [[nodiscard]] static result<whole_snapshot> read_whole(const std::filesystem::path& path);
    void take_in(const std::filesystem::path& path);
    void judge(whole_snapshot& snapshot) const;
    void judge_passed();
    [[nodiscard]] static result<snapshot_audit> read_all(const std::filesystem::path& where);
    [[nodiscard]] std::vector<rejected_snapshot> judge_rest(const journal_identity& journal);

    std::vector<whole_snapshot> whole_;  // by log point
    std::size_t judged_ = 0;             // of whole_, those whose log point was passed
    std::vector<rejected_snapshot> rejected_;
    std::size_t count_ = 0;
    log_point point_{};  // after the last event passed to add()
    log_digest digest_{};
    bool complete_ = true;  // add() got every event from the journal's first on
    bool out_of_memory_ = false;
};

// The headers of all snapshots in DIR/snapshots, or in `snapshots` if that is not empty, of every
// fold and state version: by name and version, newest first, and the files whose header cannot be
// read. Fails with not_a_journal, with io if the directory cannot be listed.
[[nodiscard]] result<snapshot_list> list_snapshots(const std::filesystem::path& directory,
                                                   const std::filesystem::path& snapshots = {});

}  // namespace pawl
