// Whether the snapshots of a journal stand for its log.
//
//     auto audit = pawl::snapshot_audit::open("orders");
//     auto report = pawl::verify("orders", {.visit = [&](const auto& e) { audit->add(e); }});
//     for (const auto& each : audit->finish(report->id)) say(each.path, each.why.message());
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

// Knows the headers of all snapshots, whatever fold and state version they are of, and is given the
// log once, in order. It asks of each that its log point be in the log and that the digest of all
// events up to there be the one it carries. Used by one thread at a time. Changes nothing.
class snapshot_audit {
  public:
    // Reads every file in DIR/snapshots, or in `snapshots` where that is not empty, that is named
    // as a snapshot is: its header, and its payload piece by piece against its hash. To be called
    // before the log is read, so that a snapshot which a follower takes meanwhile is not held
    // against events that were not there yet. Fails with io where the directory cannot be listed;
    // one that does not exist holds none.
    [[nodiscard]] static result<snapshot_audit> open(const std::filesystem::path& directory,
                                                     const std::filesystem::path& snapshots = {});

    // The next event. Behind a sequence that was left out only log points are compared, for the
    // digest is not known any more. Cost: an addition, and a comparison with the next point.
    void add(const event& next);

    // Those that will not do, by path, with why: damaged, diverged (of another journal than the one
    // given, or a log point or digest that is not this log's), newer_format, io. To be called once,
    // behind the last event.
    [[nodiscard]] std::vector<rejected_snapshot> finish(const journal_id& journal);

    // Snapshots looked at, the rejected ones included.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

  private:
    struct whole_snapshot {
        snapshot_info info;
        journal_id journal{};
        std::optional<error> misfit{};
    };

    snapshot_audit() = default;
    [[nodiscard]] static result<whole_snapshot> read_whole(const std::filesystem::path& path);
    void take_in(const std::filesystem::path& path);
    void judge(whole_snapshot& snapshot) const;
    void judge_passed();

    std::vector<whole_snapshot> whole_;  // by log point
    std::size_t judged_ = 0;             // of them, those whose log point was passed
    std::vector<rejected_snapshot> rejected_;
    std::size_t count_ = 0;
    log_point point_{};  // behind the last event given
    log_digest digest_{};
    bool complete_ = true;  // every event from the journal's first was given
};

}  // namespace pawl
