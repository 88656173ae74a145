// Row 11, second part: a full disk is an error and nothing worse. On small file systems a writer
// appends until there is no room, must say disk_full, must still sync and be read, and goes on once
// there is room again.
#include "support/generated_log.hpp"
#include "support/row_program.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mount.h>
#include <unistd.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

constexpr generated_log::sizes large_events{.usual = 2000, .largest = 20'000};

// A small file system of its own, unmounted at the end.
class small_file_system {
  public:
    small_file_system(const fs::path& parent, std::string kind)
        : kind_{std::move(kind)}, image_{parent / (kind_ + ".image")}, path_{parent / kind_} {
        fs::create_directory(path_);
        if (kind_ == "tmpfs") {
            mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=16m") == 0;
        } else {
            mount_image();
        }
    }
    ~small_file_system() {
        if (mounted_)
            ::umount2(path_.c_str(), MNT_DETACH);
        std::error_code ignored;
        fs::remove(image_, ignored);
    }
    small_file_system(const small_file_system&) = delete;
    small_file_system& operator=(const small_file_system&) = delete;

    [[nodiscard]] bool usable() const noexcept { return mounted_; }
    [[nodiscard]] const fs::path& path() const noexcept { return path_; }
    [[nodiscard]] const std::string& kind() const noexcept { return kind_; }

    // Takes all the room but about so many bytes.
    void leave(std::uint64_t bytes) const {
        std::error_code code;
        const std::uint64_t free_bytes = fs::space(path_, code).available;
        if (code || free_bytes <= bytes)
            return;
        const int filler = ::open((path_ / "filler").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (filler < 0)
            return;
        (void)::posix_fallocate(filler, 0, static_cast<::off_t>(free_bytes - bytes));
        ::fsync(filler);
        ::close(filler);
    }
    void make_room() const {
        std::error_code ignored;
        fs::remove(path_ / "filler", ignored);
        ::sync();
    }

  private:
    void mount_image() {
        const bool is_ext4 = kind_ == "ext4";
        const std::uint64_t megabytes = is_ext4 ? 32 : kind_ == "btrfs" ? 128 : 320;
        const std::string make = fmt::format(
            "truncate -s {}M '{}' && mkfs.{} -q '{}' >/dev/null 2>&1 && mount -o loop '{}' '{}' "
            "2>/dev/null",
            megabytes, image_.string(), kind_, image_.string(), image_.string(), path_.string());
        mounted_ = std::system(make.c_str()) == 0;
    }

    std::string kind_;
    fs::path image_;
    fs::path path_;
    bool mounted_ = false;
};

// One writer, until full and beyond, several times over.
class filling {
  public:
    filling(const small_file_system& disk, std::uint64_t seed)
        : disk_{disk}, directory_{disk.path() / "journal"}, seed_{seed} {}

    // What is wrong; empty where nothing is.
    [[nodiscard]] std::string run() {
        writer_options options;
        options.segment_bytes = std::uint64_t{64} << 10;
        options.sync = sync_policy::manual();
        options.background_threads = false;
        options.full = when_full::fail;
        auto log = writer::open(directory_, options);
        if (!log)
            return "open: " + log.error().message();
        generated_log source{seed_, large_events};
        for (int round = 0; round < 3; ++round) {
            disk_.leave(std::uint64_t{1} << 20);
            if (auto wrong = fill(*log, source); !wrong.empty())
                return wrong;
            disk_.make_room();
            if (auto wrong = go_on(*log, source); !wrong.empty())
                return wrong;
        }
        if (auto closed = log->close(); !closed)
            return "close: " + closed.error().message();
        return read_back(log->next_sequence());
    }

    [[nodiscard]] std::uint64_t fulls() const noexcept { return fulls_; }

  private:
    [[nodiscard]] std::string fill(writer& log, generated_log& source) {
        constexpr int enough = 100'000;
        for (int i = 0; i < enough; ++i) {
            auto placed = source.append_unit(log);
            if (placed)
                continue;
            if (placed.error().code == errc::back_pressure) {
                if (auto polled = log.poll(); !polled)
                    return "poll: " + polled.error().message();
                continue;
            }
            if (placed.error().code != errc::disk_full)
                return "append: " + placed.error().message();
            ++fulls_;
            if (log.failure())
                return "a full disk poisons";
            auto synced = log.sync();
            if (!synced || *synced != log.published())
                return "what was published cannot be synced";
            return {};
        }
        return "the disk does not get full";
    }

    [[nodiscard]] static std::string go_on(writer& log, generated_log& source) {
        const std::uint64_t rollovers = log.statistics().rollovers;
        constexpr int enough = 10'000;
        for (int i = 0; i < enough && log.statistics().rollovers < rollovers + 3; ++i) {
            auto placed = source.append_unit(log);
            if (!placed && placed.error().code != errc::disk_full &&
                placed.error().code != errc::back_pressure)
                return "append with room again: " + placed.error().message();
            if (auto polled = log.poll(); !polled)
                return "poll with room again: " + polled.error().message();
        }
        return log.statistics().rollovers < rollovers + 3 ? "appending does not go on" : "";
    }

    [[nodiscard]] std::string read_back(sequence_number events_in_all) const {
        auto report = verify(directory_);
        if (!report)
            return "verify: " + report.error().message();
        for (const finding& found : report->findings)
            return "verify finds: " + found.what.message();
        auto events = cursor::open(directory_);
        if (!events)
            return "cursor: " + events.error().message();
        generated_log_check check{generated_log{seed_, large_events}};
        while (const event* e = events->next()) {
            if (auto wrong = check.check(*e); !wrong.empty())
                return wrong;
        }
        if (auto wrong = check.check_end(); !wrong.empty())
            return wrong;
        return check.next_sequence() == events_in_all ? "" : "not all events are there";
    }

    const small_file_system& disk_;
    fs::path directory_;
    std::uint64_t seed_;
    std::uint64_t fulls_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 11, .name = "disk_full", .counted = "full disks"}, argc, argv};
    const std::uint64_t target = program.target({.quick = 3, .ci = 12, .full = 12});
    const std::vector<std::string> kinds =
        program.mode() == row_mode::quick
            ? std::vector<std::string>{"tmpfs"}
            : std::vector<std::string>{"tmpfs", "ext4", "xfs", "btrfs"};
    std::string missing;
    for (const std::string& kind : kinds) {
        const small_file_system disk{program.directory(), kind};
        if (!disk.usable()) {
            missing += (missing.empty() ? "" : ", ") + kind;
            continue;
        }
        filling one{disk, draw(program.seed(), 1)};
        const std::string wrong = one.run();
        program.count(one.fulls());
        if (!wrong.empty())
            program.failure(fmt::format("--seed {}", program.seed()), kind + ": " + wrong);
    }
    if (!missing.empty() && program.reached() < target)
        program.skip("cannot mount " + missing);
    program.detail(missing.empty() ? "on every file system" : "not on " + missing);
    return program.finish();
}
