#include "fuse_disk.hpp"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#ifdef PAWL_HAVE_FUSE
#define FUSE_USE_VERSION 35
#include <fuse_lowlevel.h>
#endif

namespace pawl::test {

#ifdef PAWL_HAVE_FUSE

namespace {

constexpr ::fuse_ino_t disk_inode = 2;
constexpr double for_ever = 1e9;

[[nodiscard]] recorded_disk& disk_of(::fuse_req_t request) noexcept {
    return *static_cast<recorded_disk*>(::fuse_req_userdata(request));
}

[[nodiscard]] struct ::stat attributes(const recorded_disk& disk, ::fuse_ino_t inode) noexcept {
    struct ::stat result{};
    result.st_ino = inode;
    result.st_mode = inode == disk_inode ? S_IFREG | 0600U : S_IFDIR | 0700U;
    result.st_nlink = 1;
    result.st_size = inode == disk_inode ? static_cast<::off_t>(disk.bytes()) : 0;
    return result;
}

void on_lookup(::fuse_req_t request, ::fuse_ino_t parent, const char* name) {
    if (parent != FUSE_ROOT_ID || std::strcmp(name, "disk") != 0) {
        ::fuse_reply_err(request, ENOENT);
        return;
    }
    ::fuse_entry_param found{};
    found.ino = disk_inode;
    found.attr = attributes(disk_of(request), disk_inode);
    found.attr_timeout = for_ever;
    found.entry_timeout = for_ever;
    ::fuse_reply_entry(request, &found);
}

void on_getattr(::fuse_req_t request, ::fuse_ino_t inode, ::fuse_file_info*) {
    const struct ::stat known = attributes(disk_of(request), inode);
    ::fuse_reply_attr(request, &known, for_ever);
}

// Lists nothing: who looks for the disk knows its name.
void on_readdir(::fuse_req_t request, ::fuse_ino_t, std::size_t, ::off_t, ::fuse_file_info*) {
    ::fuse_reply_buf(request, nullptr, 0);
}

void on_setattr(::fuse_req_t request, ::fuse_ino_t inode, struct ::stat*, int, ::fuse_file_info*) {
    on_getattr(request, inode, nullptr);
}

// Bypasses the page cache: what the loop device writes is recorded at once, in that order.
void on_open(::fuse_req_t request, ::fuse_ino_t inode, ::fuse_file_info* file) {
    if (inode != disk_inode) {
        ::fuse_reply_err(request, EISDIR);
        return;
    }
    file->direct_io = 1;
    ::fuse_reply_open(request, file);
}

void on_read(::fuse_req_t request, ::fuse_ino_t, std::size_t bytes, ::off_t offset,
             ::fuse_file_info*) {
    const auto found = disk_of(request).read(static_cast<std::uint64_t>(offset), bytes);
    ::fuse_reply_buf(request, reinterpret_cast<const char*>(found.data()), found.size());
}

void on_write(::fuse_req_t request, ::fuse_ino_t, const char* data, std::size_t bytes,
              ::off_t offset, ::fuse_file_info*) {
    const std::span given{reinterpret_cast<const std::byte*>(data), bytes};
    if (disk_of(request).write(static_cast<std::uint64_t>(offset), given))
        ::fuse_reply_write(request, bytes);
    else
        ::fuse_reply_err(request, EIO);
}

void on_fsync(::fuse_req_t request, ::fuse_ino_t, int, ::fuse_file_info*) {
    ::fuse_reply_err(request, disk_of(request).flush() ? 0 : EIO);
}

[[nodiscard]] ::fuse_lowlevel_ops operations() noexcept {
    ::fuse_lowlevel_ops result{};
    result.lookup = on_lookup;
    result.getattr = on_getattr;
    result.setattr = on_setattr;
    result.readdir = on_readdir;
    result.open = on_open;
    result.read = on_read;
    result.write = on_write;
    result.fsync = on_fsync;
    return result;
}

// Writes one byte to `ready` once it is mounted.
[[noreturn]] void serve_here(recorded_disk& disk, const std::filesystem::path& where, int ready) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::string program = "pawl";
    char* words[] = {program.data(), nullptr};
    ::fuse_args arguments{.argc = 1, .argv = words, .allocated = 0};
    const ::fuse_lowlevel_ops called = operations();
    ::fuse_session* session = ::fuse_session_new(&arguments, &called, sizeof called, &disk);
    if (session == nullptr || ::fuse_session_mount(session, where.c_str()) != 0)
        ::_exit(1);
    const char said = 'r';
    if (::write(ready, &said, 1) == 1) {
        ::close(ready);
        ::fuse_session_loop(session);
    }
    ::_exit(0);
}

}  // namespace

std::string fuse_disk::serve(const std::filesystem::path& where) {
    if (::access("/dev/fuse", R_OK | W_OK) != 0)
        return "no /dev/fuse";
    std::error_code ignored;
    std::filesystem::create_directories(where, ignored);
    int ends[2];
    if (::pipe(ends) != 0)
        return "no pipe";
    server_ = ::fork();
    if (server_ == 0) {
        ::close(ends[0]);
        serve_here(disk_, where, ends[1]);
    }
    ::close(ends[1]);
    char said = 0;
    const bool mounted = server_ > 0 && ::read(ends[0], &said, 1) == 1;
    ::close(ends[0]);
    if (!mounted)
        return "FUSE cannot be mounted";
    where_ = where;
    return {};
}

#else

std::string fuse_disk::serve(const std::filesystem::path&) {
    return "built without libfuse3";
}

#endif

fuse_disk::~fuse_disk() {
    if (!where_.empty())
        ::umount2(where_.c_str(), MNT_DETACH);
    if (server_ > 0) {
        ::kill(server_, SIGKILL);
        ::waitpid(server_, nullptr, 0);
    }
}

}  // namespace pawl::test
