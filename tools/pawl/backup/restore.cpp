#include "backup/backup.hpp"
#include "backup/backup_lock.hpp"
#include "backup/file_copy.hpp"

#include <sys/stat.h>

#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

namespace pawl::cli {

namespace {

namespace fs = std::filesystem;

[[nodiscard]] result<void> copy_files(const fs::path& from, const fs::path& to) {
    if (auto made = make_directory(to, from); !made)
        return made;
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator{from, failed}) {
        const fs::path copy = to / entry.path().filename();
        if (entry.is_directory()) {
            if (auto copied = copy_files(entry.path(), copy); !copied)
                return copied;
        } else if (auto copied = copy_synced(entry.path(), copy); !copied) {
            return std::unexpected(std::move(copied.error()));
        }
    }
    if (failed)
        return std::unexpected(error{.code = errc::io,
                                     .os_error = failed.value(),
                                     .file = from.string(),
                                     .detail = "cannot list"});
    return sync_directory(to);
}

// Where a directory is mounted, none can be put in its place.
[[nodiscard]] bool is_mount_point(const fs::path& target) {
    struct stat own{};
    struct stat parent{};
    return ::stat(target.c_str(), &own) == 0 &&
           ::stat(target.parent_path().c_str(), &parent) == 0 && own.st_dev != parent.st_dev;
}

[[nodiscard]] result<restore_report> copy_verified(
    const fs::path& current, const fs::path& made, const fs::path& target,
    const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    if (auto copied = copy_files(current, made); !copied)
        return std::unexpected(std::move(copied.error()));
    const auto verified = verify(made, {.progress = progress});
    if (!verified)
        return std::unexpected(verified.error());
    for (const finding& found : verified->findings)
        if (found.damage || found.unreadable)
            return std::unexpected(found.what);
    if (auto placed = put_at(made, target); !placed)
        return std::unexpected(std::move(placed.error()));
    if (auto synced = sync_directory(target.parent_path()); !synced)
        return std::unexpected(std::move(synced.error()));
    return restore_report{.first_sequence = verified->first_sequence,
                          .next_sequence = verified->next_sequence,
                          .id = verified->id};
}

}  // namespace

result<restore_report> restore(const fs::path& out, const fs::path& to,
                               const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    std::error_code ignored;
    fs::path target = fs::weakly_canonical(fs::absolute(to), ignored);
    if (!target.has_filename())  // it was named with a slash at its end
        target = target.parent_path();
    if (fs::exists(target, ignored) &&
        (!fs::is_directory(target, ignored) || !fs::is_empty(target, ignored)))
        return fail(errc::invalid_argument,
                    target.string() + " is there already; restore into a new directory");
    if (is_mount_point(target))
        return fail(errc::invalid_argument,
                    target.string() +
                        " is where a file system is mounted, and cannot be replaced; restore into "
                        "a directory below it");
    const auto lock = backup_lock::take(out, backup_lock::to::read);
    if (!lock)
        return std::unexpected(lock.error());
    fs::path made = target;
    made += ".restoring";
    fs::remove_all(made, ignored);
    auto done = copy_verified(out / current_backup, made, target, progress);
    if (!done)
        fs::remove_all(made, ignored);  // it may fill the disk
    return done;
}

}  // namespace pawl::cli
