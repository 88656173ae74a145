// Row 11, second part: a full disk is an error and nothing worse. On small file systems, a writer
// appends until there is no room; it must report disk_full, must still sync and be readable, and
// must continue once there is room again. And if allocated space is gone when it is stored to,
// because a backup shares the blocks or somebody punched them out, the store must be an error of
// the writer and not kill the process.
#include "support/failure_text.hpp"
#include "support/generated_log.hpp"
#include "support/row_program.hpp"
#include "support/sound_journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

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

// Nothing happens except what the program requests.
[[nodiscard]] writer_options alone_with(std::uint64_t segment_bytes) {
    writer_options options;
    options.segment_bytes = segment_bytes;
    options.sync = sync_policy::manual();
    options.background_threads = false;
    options.full = when_full::fail;
    return options;
}

// A small file system, unmounted at the end.
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

    // Takes all the space except about this many bytes.
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
    // Also takes the space reserved for root.
    void leave_nothing() const {
        const int filler = ::open((path_ / "filler").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        ::off_t end = 0;
        for (::off_t piece = 1 << 20; piece >= 4096; piece /= 4) {
            while (::fallocate(filler, 0, end, piece) == 0)
                end += piece;
        }
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

    // What is wrong; empty if nothing is.
    [[nodiscard]] std::string run() {
        auto log = writer::open(directory_, alone_with(std::uint64_t{64} << 10));
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
            return "close: " + failure_text(*log, closed.error());
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
                    return "poll: " + failure_text(log, polled.error());
                continue;
            }
            if (placed.error().code != errc::disk_full)
                return "append: " + failure_text(log, placed.error());
            ++fulls_;
            if (log.failure())
                return "a full disk poisons the writer";
            auto synced = log.sync();
            if (!synced || *synced != log.published())
                return "published events cannot be synced";
            return {};
        }
        return "the disk does not fill up";
    }

    [[nodiscard]] static std::string go_on(writer& log, generated_log& source) {
        const std::uint64_t rollovers = log.statistics().rollovers;
        constexpr int enough = 10'000;
        for (int i = 0; i < enough && log.statistics().rollovers < rollovers + 3; ++i) {
            auto placed = source.append_unit(log);
            if (!placed && placed.error().code != errc::disk_full &&
                placed.error().code != errc::back_pressure)
                return "append with room again: " + failure_text(log, placed.error());
            if (auto polled = log.poll(); !polled)
                return "poll with room again: " + failure_text(log, polled.error());
        }
        return log.statistics().rollovers < rollovers + 3 ? "appending does not continue" : "";
    }

    [[nodiscard]] std::string read_back(sequence_number events_in_all) const {
        generated_log_check check{generated_log{seed_, large_events}};
        if (auto wrong = fault_of_journal(directory_, check, {.deep = true}); !wrong.empty())
            return wrong;
        return check.next_sequence() == events_in_all ? "" : "some events are missing";
    }

    const small_file_system& disk_;
    fs::path directory_;
    std::uint64_t seed_;
    std::uint64_t fulls_ = 0;
};

// How a segment loses the disk space that was allocated when it was created.
enum class room_goes : std::uint8_t {
    punched,  // somebody releases the blocks
    shared,   // a copy shares them, and a store needs others
};

// A writer whose segment loses its disk space on a full disk.
class losing_room {
  public:
    losing_room(const small_file_system& disk, room_goes how, std::uint64_t seed)
        : disk_{disk},
          directory_{disk.path() / (how == room_goes::punched ? "punched" : "shared")},
          how_{how},
          seed_{seed} {}

    // What is wrong; empty if nothing is.
    [[nodiscard]] std::string run() {
        disk_.make_room();
        auto wrong = lose();
        disk_.make_room();
        return wrong.empty() ? read_back() : wrong;
    }
    // Whether a store did reach a page that was not available.
    [[nodiscard]] bool met() const noexcept { return met_; }

  private:
    [[nodiscard]] std::string lose() {
        auto log = writer::open(directory_, alone_with(std::uint64_t{1} << 20));
        if (!log)
            return "open: " + log.error().message();
        generated_log source{seed_, large_events};
        while (log->statistics().appended_bytes < 100'000) {
            if (auto placed = source.append_unit(*log); !placed)
                return "append: " + failure_text(*log, placed.error());
        }
        auto synced = log->sync();
        if (!synced)
            return "sync: " + failure_text(*log, synced.error());
        durable_ = *synced;
        const fs::path segment = directory_ / "0000000000.seg";
        if (!take_room(segment, directory_ / "copy"))
            return "";
        disk_.leave_nothing();
        for (int i = 0; i < 2000; ++i) {
            auto placed = source.append_unit(*log);
            if (placed)
                continue;
            met_ = placed.error().code == errc::io && placed.error().file == segment.string();
            if (!met_ && placed.error().code != errc::back_pressure)
                return "append fails with " + failure_text(*log, placed.error());
            break;
        }
        if (!met_)
            return "";
        if (log->append({.type = 1}, {}))
            return "an append succeeds after a page was lost";
        if (auto again = log->sync(); again)
            return "events on a lost page are reported as durable";
        return log->failure() ? "" : "the writer is not poisoned";
    }

    [[nodiscard]] bool take_room(const fs::path& segment, const fs::path& copy) const {
        const int from = ::open(segment.c_str(), O_RDWR | O_CLOEXEC);
        bool taken = false;
        if (how_ == room_goes::punched) {
            constexpr ::off_t kept = 300'000;
            taken = ::fallocate(from, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kept,
                                (1 << 20) - kept) == 0;
        } else {
            const int to = ::open(copy.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
            taken = ::ioctl(to, FICLONE, from) == 0;
            ::fsync(to);
            ::close(to);
        }
        ::fsync(from);
        ::close(from);
        return taken;
    }

    [[nodiscard]] std::string read_back() const {
        auto log = writer::open(directory_);
        if (!log)
            return "recovery: " + log.error().message();
        if (log->next_sequence() < durable_)
            return "recovery lost durable events";
        if (auto closed = log->close(); !closed)
            return "close: " + failure_text(*log, closed.error());
        return fault_of_files(directory_, {.deep = true});
    }

    const small_file_system& disk_;
    fs::path directory_;
    room_goes how_;
    std::uint64_t seed_;
    sequence_number durable_ = 0;
    bool met_ = false;
};

// Every kind of file system, and what is missing of them.
template <class Try>
void on_each(row_program& program, std::vector<std::string> kinds, Try&& one) {
    if (program.mode() == row_mode::quick)
        kinds.resize(1);
    std::string missing;
    for (const std::string& kind : kinds) {
        const small_file_system disk{program.directory(), kind};
        if (!disk.usable()) {
            missing += (missing.empty() ? "" : ", ") + kind;
            continue;
        }
        const std::string wrong = one(disk);
        if (!wrong.empty())
            program.failure(fmt::format("--seed {}", program.seed()), kind + ": " + wrong);
    }
    if (!missing.empty() && program.reached() < program.target())
        program.skip("cannot mount " + missing);
    program.detail(missing.empty() ? fmt::format("on {}", fmt::join(kinds, ", "))
                                   : "not on " + missing);
}

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 11, .name = "disk_full", .counted = "full disks"}, argc, argv};
    program.target({.quick = 3, .ci = 12, .full = 12});
    on_each(program, {"tmpfs", "ext4", "xfs", "btrfs"}, [&](const small_file_system& disk) {
        filling one{disk, draw(program.seed(), 1)};
        std::string wrong = one.run();
        program.count(one.fulls());
        return wrong;
    });
    program.next_part({.row = 11, .name = "lost_room", .counted = "stores without space"});
    program.target({.quick = 1, .ci = 4, .full = 4});
    // Not on btrfs: there, a store without space may wait inside the kernel until there is some,
    // which nothing in the process can prevent.
    on_each(program, {"tmpfs", "ext4", "xfs"}, [&](const small_file_system& disk) {
        for (const room_goes how : {room_goes::punched, room_goes::shared}) {
            losing_room one{disk, how, draw(program.seed(), 2)};
            if (std::string wrong = one.run(); !wrong.empty())
                return wrong;
            if (one.met())
                program.count();
        }
        return std::string{};
    });
    return program.finish();
}
