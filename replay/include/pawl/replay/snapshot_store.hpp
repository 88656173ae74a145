// The snapshots of a journal: files <name>-v<state version>-<sequence>.snap in DIR/snapshots.
//
// A snapshot is written under a temporary name, synced, renamed, and its directory synced: it
// exists whole or not at all. replay/FORMAT.md describes the file.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>
#include <pawl/replay/snapshot.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl {

namespace detail {
struct snapshot_access;
struct snapshot_header;
}  // namespace detail

struct snapshot_options {
    // Distinguishes the states of several folds over one journal: 1 to 32 characters of a-z 0-9 _.
    std::string name = "state";
    // How many of the newest snapshots to keep; at least 2, so that one may be bad.
    std::uint32_t keep = 2;
    // Limit on a snapshot's payload, and so on the memory that loading one may allocate.
    std::uint64_t max_bytes = std::uint64_t{16} << 30;
    // Their directory; empty: `snapshots` in the journal's directory.
    std::filesystem::path directory{};
    // Permission bits of new files in a directory of their own, less those of the umask. In the
    // journal's directory they get owner, group and mode of journal.pawl, like all its files.
    std::uint32_t mode = 0600;
    // The files of another state version are removed, all together, when a snapshot is added and
    // none of them has changed for this long, so that version is no longer in use. Choose it longer
    // than any version that may still run, or be run again, takes between two snapshots; at worst
    // such a version replays the log once. seconds::max(): never.
    std::chrono::seconds keep_other_versions = std::chrono::days{14};
};

// A snapshot's payload in memory, verified.
class snapshot_payload {
  public:
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
    [[nodiscard]] const snapshot_info& info() const noexcept { return info_; }

  private:
    friend class snapshot_store;
    struct release {
        void operator()(std::byte* memory) const noexcept;
    };
    snapshot_info info_;
    std::unique_ptr<std::byte, release> memory_;
    std::span<const std::byte> bytes_;
};

// A file with the name of a snapshot that cannot be used.
struct rejected_snapshot {
    std::filesystem::path path;
    error why;
};

struct snapshot_list {
    std::vector<snapshot_info> snapshots;     // newest first
    std::vector<rejected_snapshot> rejected;  // those whose header is invalid
};

// One thread at a time uses a store; several stores may read one directory, and one may add to it.
class snapshot_store {
  public:
    // The snapshots of the journal in `directory` with that identity (cursor::identity). Creates
    // nothing: a directory that does not exist yet holds no snapshots. Fails with invalid_argument
    // for options out of range.
    [[nodiscard]] static result<snapshot_store> open(const std::filesystem::path& directory,
                                                     const journal_identity& journal,
                                                     std::uint32_t state_version,
                                                     snapshot_options options = {});

    // Writes a snapshot of the state at `point`, whose bytes `save` writes, and then removes all
    // but the newest `keep`, and those of other state versions as keep_other_versions says. Costs
    // two syncs, and a third the first time. On failure (io, disk_full, too_large, foreign_owner,
    // out_of_memory, or what `save` returned) the existing snapshots are unchanged.
    [[nodiscard]] result<snapshot_info> add(
        const log_point& point, log_digest digest,
        const std::function<result<void>(snapshot_sink&)>& save);

    // The snapshots of this name and state version, from their headers.
    [[nodiscard]] result<snapshot_list> list() const;

    // Reads and verifies one. Fails with damaged if its bytes have changed, diverged if it was
    // taken in a journal of another origin, newer_format, io, too_large or out_of_memory.
    [[nodiscard]] result<snapshot_payload> load(const std::filesystem::path& snapshot) const;

    // Renames an unusable snapshot to *.rejected, so that it does not count among those that are
    // kept. Only the newest rejected ones stay.
    [[nodiscard]] result<void> set_aside(const std::filesystem::path& snapshot);

    [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }

  private:
    snapshot_store() = default;
    [[nodiscard]] result<void> prepare_directory(const detail::snapshot_access& access);
    [[nodiscard]] result<snapshot_info> add_one(
        const log_point& point, log_digest digest,
        const std::function<result<void>(snapshot_sink&)>& save);
    [[nodiscard]] result<snapshot_list> list_all() const;
    [[nodiscard]] result<snapshot_payload> load_one(const std::filesystem::path& snapshot) const;
    [[nodiscard]] result<void> set_one_aside(const std::filesystem::path& snapshot);
    void remove_older(const std::vector<std::string>& names, std::string_view prefix,
                      const std::filesystem::path& newest) const;
    void remove_other_versions(const std::vector<std::string>& names, std::string_view own) const;
    [[nodiscard]] result<void> check(const std::filesystem::path& path,
                                     const detail::snapshot_header& header) const;

    std::filesystem::path directory_;
    journal_identity journal_{};
    std::uint32_t state_version_ = 0;
    snapshot_options options_;
    bool name_is_durable_ = false;  // of the directory
};

}  // namespace pawl
