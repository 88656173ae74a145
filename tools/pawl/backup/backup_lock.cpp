#include "backup/backup_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace pawl::cli {

namespace {

[[nodiscard]] std::unexpected<error> failed(const std::filesystem::path& out, std::string what) {
    const int number = errno;
    return std::unexpected(error{.code = number == ENOENT ? errc::not_found : errc::io,
                                 .os_error = number,
                                 .file = out.string(),
                                 .detail = std::move(what)});
}

}  // namespace

result<backup_lock> backup_lock::take(const std::filesystem::path& out, to use) {
    const int directory = ::open(out.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return failed(out, "cannot open");
    backup_lock made{directory};
    if (::flock(directory, (use == to::write ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0)
        return failed(out, errno == EWOULDBLOCK
                               ? "another backup or restore uses it; try again when that has ended"
                               : "cannot lock");
    return made;
}

backup_lock::~backup_lock() {
    if (held_ >= 0)
        ::close(held_);
}

}  // namespace pawl::cli
