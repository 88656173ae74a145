// The possible contents of a disk after a power loss, from a trace of stores, system calls and
// syncs.
//
// The trace comes from the real writer, which works on files in memory: the journal's hook reports
// system calls, and stores into mappings are found by comparing the files with their earlier
// contents. What was synced is certainly on the disk; of everything newer, each part may or may not
// be there.
#pragma once

#include "os/io_hook.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pawl::test {

// How a cut decides what had reached the disk: each unit holds what was stored up to a time of its
// own.
struct cut_choice {
    std::uint64_t seed = 0;
    unsigned unit_shift = 3;            // log2 of the unit: 3 words, 9 sectors, 12 pages, 40 files
    std::uint64_t newest_in_256 = 128;  // share of units that hold their newest value
    bool names_in_order = true;         // a prefix of the directory changes, else any subset

    [[nodiscard]] static cut_choice from(std::uint64_t seed) noexcept;
};

class disk_file;

class simulated_disk {
  public:
    // Starts with the files in `root` as they are, all of them on the disk.
    explicit simulated_disk(std::filesystem::path root);
    ~simulated_disk();
    simulated_disk(const simulated_disk&) = delete;
    simulated_disk& operator=(const simulated_disk&) = delete;

    // Records a call that is about to be made and will succeed.
    void perform(const detail::io_event& event);
    // Records a sync that fails: some of it reached the disk, and the rest counts as clean from now
    // on.
    void fail_sync(const detail::io_event& event, std::uint64_t seed);
    // Finds stores into mapped files since the last call.
    void observe();

    // Writes the files that a cut at this moment leaves into a directory, which is emptied first.
    void cut(const cut_choice& choice, const std::filesystem::path& into) const;

    // Whether a sync failed before, so that stores of unchanged values matter.
    [[nodiscard]] bool has_stale_pages() const noexcept { return stale_; }
    [[nodiscard]] std::uint64_t stores() const noexcept { return stores_seen_; }

  private:
    using file_pointer = std::shared_ptr<disk_file>;
    using names = std::map<std::string, file_pointer>;
    struct name_change {
        std::uint64_t time = 0;
        std::string from{};   // empty: `to` is new
        std::string to{};     // empty: `from` is gone
        file_pointer file{};  // null: a directory was made
    };

    [[nodiscard]] std::string relative(const char* path) const;
    [[nodiscard]] static std::string parent_of(const std::string& name);
    static void apply(names& to, const name_change& change);
    void change_names(name_change change);
    void create(const std::string& name);
    void sync_names(const std::string& directory);
    [[nodiscard]] disk_file* find(const char* path);
    void take_dirtied_pages();

    std::filesystem::path root_;
    names now_;
    names durable_;  // a null file is a directory
    std::vector<name_change> changes_;
    std::uint64_t time_ = 1;
    std::uint64_t next_id_ = 1;
    std::uint64_t stores_seen_ = 0;
    bool stale_ = false;
};

}  // namespace pawl::test
