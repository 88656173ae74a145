#include "os/file.hpp"

#include "os/assertion.hpp"
#include "os/io_hook.hpp"
#include "os/lost_sync.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace pawl::detail {

namespace {

std::unexpected<error> failed(const std::filesystem::path& path, std::string_view doing) {
    return std::unexpected(system_error(errno, path, doing));
}

// Calls the hook. If it refuses, stores its errno.
[[nodiscard]] bool refused(const io_event& event) noexcept {
    const int answer = call_io_hook(event);
    if (answer != 0)
        errno = answer;
    return answer != 0;
}

}  // namespace

int give_attributes(int descriptor, const file_attributes& wanted) noexcept {
    PAWL_ASSERT(descriptor >= 0);
    constexpr std::uint32_t group_bits = 0070;
    constexpr mode_t all_bits = 07777;
    struct stat now{};
    if (::fstat(descriptor, &now) != 0)
        return errno;
    const bool is_owner = now.st_uid == wanted.user;
    if ((!is_owner || now.st_gid != wanted.group) &&
        ::fchown(descriptor, wanted.user, wanted.group) != 0) {
        const int why = errno;
        if (why != EPERM || (wanted.mode & group_bits) != 0)
            return why;
        if (!is_owner && ::fchown(descriptor, wanted.user, static_cast<gid_t>(-1)) != 0)
            return errno;
    }
    if ((now.st_mode & all_bits) != wanted.mode && ::fchmod(descriptor, wanted.mode) != 0)
        return errno;
    return 0;
}

file::file(file&& other) noexcept
    : descriptor_{std::exchange(other.descriptor_, -1)}, path_{std::move(other.path_)} {}

file& file::operator=(file&& other) noexcept {
    if (this != &other) {
        close();
        descriptor_ = std::exchange(other.descriptor_, -1);
        path_ = std::move(other.path_);
    }
    return *this;
}

file::~file() {
    close();
}

void file::close() noexcept {
    if (descriptor_ >= 0)
        ::close(descriptor_);
    descriptor_ = -1;
}

result<file> file::open(const std::filesystem::path& path, access mode, std::uint32_t permissions) {
    return open_at(AT_FDCWD, path, path, mode, permissions);
}

result<file> file::open_at(int directory, const std::filesystem::path& name,
                           std::filesystem::path path, access mode, std::uint32_t permissions) {
    int flags = O_CLOEXEC | O_NOFOLLOW;
    if (mode == access::read)
        flags |= O_RDONLY;
    if (mode == access::read_write)
        flags |= O_RDWR;
    if (mode == access::create)
        flags |= O_RDWR | O_CREAT | O_TRUNC;
    const auto operation = mode == access::create ? io_operation::create : io_operation::open;
    if (refused({.operation = operation, .path = path.c_str()}))
        return failed(path, "cannot open");
    file opened;
    do {
        opened.descriptor_ =
            ::openat(directory, name.c_str(), flags, static_cast<mode_t>(permissions));
    } while (opened.descriptor_ < 0 && errno == EINTR);
    if (opened.descriptor_ < 0)
        return failed(path, "cannot open");
    opened.path_ = std::move(path);
    return opened;
}

result<std::uint64_t> file::size() const {
    PAWL_ASSERT(descriptor_ >= 0);
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0)
        return failed(path_, "cannot stat");
    if (!S_ISREG(status.st_mode)) {
        return std::unexpected(
            error{.code = errc::damaged, .file = path_.string(), .detail = "not a regular file"});
    }
    return static_cast<std::uint64_t>(status.st_size);
}

result<file_identity> file::identity() const {
    PAWL_ASSERT(descriptor_ >= 0);
    struct stat status{};
    if (::fstat(descriptor_, &status) != 0)
        return failed(path_, "cannot stat");
    return file_identity{static_cast<std::uint64_t>(status.st_dev),
                         static_cast<std::uint64_t>(status.st_ino)};
}

namespace {

// The headers of most systems do not have it yet. A kernel or a file system without it refuses the
// call.
constexpr int read_without_caching = 0x80;  // RWF_DONTCACHE, Linux 6.14

[[nodiscard]] ssize_t read_some(int descriptor, std::span<std::byte> into, std::uint64_t offset,
                                file::cached what) noexcept {
    if (what == file::cached::goes) {
        const iovec one{into.data(), into.size()};
        const ssize_t got =
            ::preadv2(descriptor, &one, 1, static_cast<off_t>(offset), read_without_caching);
        if (got >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL))
            return got;
    }
    return ::pread(descriptor, into.data(), into.size(), static_cast<off_t>(offset));
}

}  // namespace

result<void> file::read_at(std::span<std::byte> into, std::uint64_t offset, cached what) const {
    PAWL_ASSERT(descriptor_ >= 0);
    PAWL_ASSERT(std::in_range<off_t>(offset));
    if (refused({.operation = io_operation::read, .path = path_.c_str(), .offset = offset})) {
        return failed(path_, "cannot read");
    }
    while (!into.empty()) {
        const ssize_t got = read_some(descriptor_, into, offset, what);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed(path_, "cannot read");
        if (got == 0) {
            return std::unexpected(error{.code = errc::damaged,
                                         .offset = offset,
                                         .file = path_.string(),
                                         .detail = "the file ends early"});
        }
        into = into.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
    return {};
}

void file::will_read_in_order() const noexcept {
    (void)::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_SEQUENTIAL);
}

result<void> file::write_at(std::span<const std::byte> from, std::uint64_t offset) const {
    PAWL_ASSERT(descriptor_ >= 0);
    PAWL_ASSERT(std::in_range<off_t>(offset));
    if (refused({.operation = io_operation::write,
                 .path = path_.c_str(),
                 .offset = offset,
                 .bytes = from.size(),
                 .data = from.data()})) {
        return failed(path_, "cannot write");
    }
    while (!from.empty()) {
        const auto put =
            ::pwrite(descriptor_, from.data(), from.size(), static_cast<off_t>(offset));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return failed(path_, "cannot write");
        from = from.subspan(static_cast<std::size_t>(put));
        offset += static_cast<std::uint64_t>(put);
    }
    return {};
}

result<void> file::allocate(std::uint64_t bytes) const {
    PAWL_ASSERT(descriptor_ >= 0);
    PAWL_ASSERT(bytes != 0 && std::in_range<off_t>(bytes));
    if (refused({.operation = io_operation::allocate, .path = path_.c_str(), .bytes = bytes})) {
        return failed(path_, "cannot allocate");
    }
    int answer = 0;
    do {
        answer = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(bytes));
    } while (answer == EINTR);
    if (answer != 0) {
        errno = answer;
        return failed(path_, "cannot allocate");
    }
    return {};
}

result<void> file::extend(std::uint64_t bytes) const {
    PAWL_ASSERT(descriptor_ >= 0);
    PAWL_ASSERT(std::in_range<off_t>(bytes));
    if (refused({.operation = io_operation::allocate, .path = path_.c_str(), .bytes = 0}) ||
        ::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0) {
        return failed(path_, "cannot extend");
    }
    return {};
}

void file::write_in_place() const noexcept {
    struct statfs status{};
    if (::fstatfs(descriptor_, &status) != 0 || status.f_type != BTRFS_SUPER_MAGIC)
        return;
    int flags = 0;
    if (::ioctl(descriptor_, FS_IOC_GETFLAGS, &flags) != 0)
        return;
    flags |= FS_NOCOW_FL;
    // If this fails, an append on a full disk may raise SIGBUS, which the guard turns into an
    // error.
    (void)::ioctl(descriptor_, FS_IOC_SETFLAGS, &flags);
}

result<void> file::punch(std::uint64_t offset, std::uint64_t bytes) const {
    PAWL_ASSERT(descriptor_ >= 0);
    if (bytes == 0)
        return {};
    PAWL_ASSERT(std::in_range<off_t>(offset) && std::in_range<off_t>(bytes));
    if (refused({.operation = io_operation::punch,
                 .path = path_.c_str(),
                 .offset = offset,
                 .bytes = bytes})) {
        return failed(path_, "cannot punch");
    }
    if (::fallocate(descriptor_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                    static_cast<off_t>(offset), static_cast<off_t>(bytes)) != 0 &&
        errno != EOPNOTSUPP && errno != ENOSYS) {
        PAWL_ASSERT(descriptor_ >= 0);
        return failed(path_, "cannot punch");
    }
    return {};
}

result<void> file::write_past_cache(bool on) const {
    const int flags = ::fcntl(descriptor_, F_GETFL);
    if (flags < 0 || ::fcntl(descriptor_, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) != 0)
        return failed(path_, "cannot bypass the page cache");
    return {};
}

result<void> file::sync() const {
    PAWL_ASSERT(descriptor_ >= 0);
    if (refused({.operation = io_operation::sync_file, .path = path_.c_str()})) {
        return failed(path_, "cannot sync");
    }
    if (::fdatasync(descriptor_) != 0)
        return failed(path_, "cannot sync");
    return check_synced();
}

result<void> file::check_synced() const {
    PAWL_ASSERT(descriptor_ >= 0);
    return check_not_lost(descriptor_, path_);
}

std::filesystem::path absolute_path(const std::filesystem::path& path) {
    if (path.empty())
        return path;
    std::error_code none;
    auto absolute = std::filesystem::absolute(path, none);
    return none ? path : absolute;
}

}  // namespace pawl::detail
