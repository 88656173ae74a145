#include "backup/backup_place.hpp"

#include "backup/backup.hpp"
#include "backup/file_copy.hpp"

#include <cerrno>
#include <string>
#include <system_error>

namespace pawl::cli {

namespace {

namespace fs = std::filesystem;

[[nodiscard]] std::unexpected<error> failed_to(const char* what, const fs::path& path,
                                               const std::error_code& why) {
    return std::unexpected(
        error{.code = errc::io, .os_error = why.value(), .file = path.string(), .detail = what});
}

[[nodiscard]] result<void> replace_current(const fs::path& out) {
    const fs::path next = out / next_backup;
    const fs::path current = out / current_backup;
    if (!fs::exists(current))
        return put_at(next, current);
    auto exchanged = exchange(next, current);
    // Network file systems, exFAT and older versions of ZFS cannot.
    if (exchanged || (exchanged.error().os_error != EINVAL && exchanged.error().os_error != ENOSYS))
        return exchanged;
    if (auto aside = put_at(current, out / previous_backup); !aside)
        return aside;
    return put_at(next, current);
}

}  // namespace

result<void> prepare(const fs::path& out) {
    std::error_code failed;
    fs::create_directories(out, failed);
    if (failed)
        return failed_to("cannot create", out, failed);
    for (const auto& entry : fs::directory_iterator{out, failed}) {
        const std::string name = entry.path().filename();
        if (name != current_backup && name != next_backup && name != previous_backup)
            return fail(errc::invalid_argument,
                        out.string() + " holds something else than a backup: " + name);
    }
    return {};
}

result<void> settle_previous(const fs::path& out) {
    const fs::path previous = out / previous_backup;
    if (!fs::exists(previous))
        return {};
    if (fs::exists(out / current_backup))
        return remove_part(previous);
    return put_at(previous, out / current_backup);
}

result<void> put_in_place(const fs::path& out) {
    if (auto synced = sync_directory(out / next_backup); !synced)
        return synced;
    if (auto replaced = replace_current(out); !replaced)
        return replaced;
    if (auto synced = sync_directory(out); !synced)
        return synced;
    if (auto removed = remove_part(out / next_backup); !removed)
        return removed;
    return remove_part(out / previous_backup);
}

result<void> remove_part(const fs::path& part) {
    std::error_code failed;
    fs::remove_all(part, failed);
    if (failed)
        return failed_to("cannot remove", part, failed);
    return {};
}

}  // namespace pawl::cli
