#include "os/directory_handle.hpp"

#include "os/assertion.hpp"
#include "os/io_hook.hpp"
#include "os/lost_sync.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace pawl::detail {

namespace fs = std::filesystem;

namespace {

std::unexpected<error> failed(const fs::path& path, std::string_view doing) {
    return std::unexpected(system_error(errno, path, doing));
}

// Calls the hook. If it refuses, stores its errno.
[[nodiscard]] bool refused(const io_event& event) noexcept {
    const int answer = call_io_hook(event);
    if (answer != 0)
        errno = answer;
    return answer != 0;
}

[[nodiscard]] std::uint32_t directory_mode(std::uint32_t file_mode) noexcept {
    constexpr std::uint32_t owner_bits = 0300;
    constexpr std::uint32_t search_bits = 0111;
    return file_mode | owner_bits | ((file_mode >> 2) & search_bits);
}

struct directory_closer {
    void operator()(DIR* opened) const noexcept { ::closedir(opened); }
};

[[nodiscard]] bool same(const struct stat& one, const struct stat& other) noexcept {
    return one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

// A signal may interrupt an open on some file systems.
[[nodiscard]] int open_directory(int below, const char* name, int flags) noexcept {
    int descriptor = -1;
    do {
        descriptor = ::openat(below, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    } while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

struct rename_ends {
    int from_directory;
    const char* from;
    int to_directory;
    const char* to;
};

// For file systems that cannot refuse to replace: creates a second name, which fails if the name is
// taken, and removes the first.
[[nodiscard]] int link_and_unlink(const rename_ends& ends) noexcept {
    if (::linkat(ends.from_directory, ends.from, ends.to_directory, ends.to, 0) != 0)
        return -1;
    return ::unlinkat(ends.from_directory, ends.from, 0);
}

[[nodiscard]] int rename_without_replacing(const rename_ends& ends) noexcept {
    const int done =
        ::renameat2(ends.from_directory, ends.from, ends.to_directory, ends.to, RENAME_NOREPLACE);
    if (done == 0 || (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP))
        return done;
    return link_and_unlink(ends);
}

// Whether it names an entry of a directory, or the directory, and nothing further up or down.
[[nodiscard]] bool is_entry_name(std::string_view name) noexcept {
    return !name.empty() && name != ".." && !name.contains('/');
}

}  // namespace

fs::path without_trailing_slashes(fs::path path) {
    while (!path.has_filename() && path.has_relative_path())
        path = path.parent_path();
    return path;
}

directory_handle::opened::~opened() {
    if (descriptor != AT_FDCWD)
        ::close(descriptor);
}

directory_handle::directory_handle(fs::path path)
    : opened_{std::make_shared<const opened>(std::move(path), AT_FDCWD)} {}

fs::path directory_handle::below(std::string_view name) const {
    PAWL_ASSERT(is_entry_name(name));
    return opened_->descriptor == AT_FDCWD ? path_of(name) : fs::path{name};
}

result<directory_handle> directory_handle::hold(const fs::path& path) {
    std::error_code code;
    const fs::path whole = fs::absolute(without_trailing_slashes(path), code);
    if (code)
        return std::unexpected(
            system_error(code.value(), path, "cannot determine the current directory"));
    const int descriptor = open_directory(AT_FDCWD, whole.c_str(), 0);
    if (descriptor < 0)
        return failed(whole, "cannot open the directory");
    return directory_handle{std::make_shared<const opened>(whole, descriptor)};
}

result<directory_handle> directory_handle::hold_below(std::string_view name) const {
    const fs::path whole = path_of(name);
    const int descriptor = open_directory(opened_->descriptor, below(name).c_str(), O_NOFOLLOW);
    if (descriptor < 0)
        return failed(whole, "cannot open the directory");
    directory_handle held{std::make_shared<const opened>(whole, descriptor)};
    held.attributes_ = attributes_;
    return held;
}

result<directory_handle> directory_handle::giving_as(std::string_view name) const {
    auto wanted = attributes_of(name);
    if (!wanted)
        return std::unexpected(std::move(wanted.error()));
    if (can_give(*wanted))
        return giving(*wanted);
    const auto owners = [](std::uint32_t user, std::uint32_t group) {
        return "user " + std::to_string(user) + " and group " + std::to_string(group);
    };
    return std::unexpected(
        error{.code = errc::foreign_owner,
              .file = path_of(name).string(),
              .detail = "the journal belongs to " + owners(wanted->user, wanted->group) +
                        ", and this process, of " + owners(::geteuid(), ::getegid()) +
                        ", may not give new files to them; nothing was changed. Run it as that "
                        "user or as root, or change the owner of the whole directory"});
}

bool directory_handle::can_give(const file_attributes& attributes) const noexcept {
    const bool is_owner = ::geteuid() == attributes.user;
    if (is_owner && ::getegid() == attributes.group)
        return true;
    // Trying it on a file without a name is the surest test: it takes capabilities and groups into
    // account, and changes nothing.
    const bool held = opened_->descriptor != AT_FDCWD;
    const int nameless = ::openat(opened_->descriptor, held ? "." : path().c_str(),
                                  O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (nameless < 0)
        return is_owner || ::geteuid() == 0;
    const int refusal = give_attributes(nameless, attributes);
    ::close(nameless);
    return refusal != EPERM;
}

result<file> directory_handle::open(std::string_view name, file::access mode,
                                    std::uint32_t permissions) const {
    const bool gives = attributes_ && mode == file::access::create;
    // Until it has its attributes, no other user may open it.
    const auto open_it = [&] {
        return file::open_at(opened_->descriptor, below(name), path_of(name), mode,
                             gives ? 0600 : permissions);
    };
    auto made = open_it();
    // The file in the way was left by another user's process that was killed.
    if (gives && !made && made.error().os_error == EACCES && unlink(name))
        made = open_it();
    if (!made || !gives)
        return made;
    if (auto given = give(*made); !given)
        return std::unexpected(std::move(given.error()));
    return made;
}

result<void> directory_handle::give(const file& made) const {
    PAWL_ASSERT(made);
    const int refusal = attributes_ ? give_attributes(made.descriptor(), *attributes_) : 0;
    if (refusal != 0)
        return std::unexpected(
            system_error(refusal, made.path(), "cannot set owner, group and mode"));
    return {};
}

result<bool> directory_handle::has(std::string_view name) const {
    auto known = identity_of(name);
    if (known)
        return true;
    if (known.error().code == errc::not_found)
        return false;
    return std::unexpected(std::move(known.error()));
}

result<file_identity> directory_handle::identity_of(std::string_view name) const {
    struct stat status{};
    if (::fstatat(opened_->descriptor, below(name).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return failed(path_of(name), "cannot stat");
    return file_identity{static_cast<std::uint64_t>(status.st_dev),
                         static_cast<std::uint64_t>(status.st_ino)};
}

result<file_attributes> directory_handle::attributes_of(std::string_view name) const {
    constexpr std::uint32_t permission_bits = 0777;
    struct stat status{};
    if (::fstatat(opened_->descriptor, below(name).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return failed(path_of(name), "cannot stat");
    return file_attributes{status.st_uid, status.st_gid,
                           static_cast<std::uint32_t>(status.st_mode) & permission_bits};
}

result<std::uint64_t> directory_handle::links_of(std::string_view name) const {
    struct stat status{};
    if (::fstatat(opened_->descriptor, below(name).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return failed(path_of(name), "cannot stat");
    return static_cast<std::uint64_t>(status.st_nlink);
}

// Does not use std::filesystem's iterator: its increment is noexcept but allocates, which ends the
// process if memory has run out.
result<std::vector<std::string>> directory_handle::names() const {
    const auto cannot_list = [&] { return failed(path(), "cannot list the directory"); };
    // A descriptor of its own, because a listing has a position, which a duplicate would share.
    const bool held = opened_->descriptor != AT_FDCWD;
    const int descriptor = open_directory(opened_->descriptor, held ? "." : path().c_str(), 0);
    if (descriptor < 0)
        return cannot_list();
    const std::unique_ptr<DIR, directory_closer> listed{::fdopendir(descriptor)};
    if (listed == nullptr) {
        const int why = errno;
        ::close(descriptor);
        errno = why;
        return cannot_list();
    }
    std::vector<std::string> found;
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(listed.get());
        if (entry == nullptr)
            break;
        std::string name{static_cast<const char*>(entry->d_name)};
        if (name != "." && name != "..")
            found.push_back(std::move(name));
    }
    if (errno != 0)
        return cannot_list();
    return found;
}

result<void> directory_handle::rename(std::string_view from, std::string_view to,
                                      on_existing what) const {
    return move(from, *this, to, what);
}

result<void> directory_handle::move(std::string_view from, const directory_handle& into,
                                    std::string_view to, on_existing what) const {
    const fs::path source = path_of(from);
    const fs::path target = into.path_of(to);
    const fs::path source_below = below(from);
    const fs::path target_below = into.below(to);
    PAWL_ASSERT(into.opened_ != opened_ || from != to);
    const rename_ends ends{opened_->descriptor, source_below.c_str(), into.opened_->descriptor,
                           target_below.c_str()};
    if (refused({.operation = io_operation::rename,
                 .path = source.c_str(),
                 .target = target.c_str(),
                 .replaces = what == on_existing::replace}))
        return failed(target, "cannot rename to");
    const int done = what == on_existing::fail
                         ? rename_without_replacing(ends)
                         : ::renameat(ends.from_directory, ends.from, ends.to_directory, ends.to);
    if (done != 0)
        return failed(target, "cannot rename to");
    return {};
}

result<void> directory_handle::unlink(std::string_view name) const {
    const fs::path whole = path_of(name);
    if (refused({.operation = io_operation::unlink, .path = whole.c_str()}) ||
        ::unlinkat(opened_->descriptor, below(name).c_str(), 0) != 0)
        return failed(whole, "cannot unlink");
    return {};
}

result<bool> directory_handle::make_directory(std::string_view name,
                                              std::uint32_t file_mode) const {
    const fs::path whole = path_of(name);
    if (refused({.operation = io_operation::make_directory, .path = whole.c_str()}))
        return failed(whole, "cannot make the directory");
    const std::uint32_t mode = directory_mode(attributes_ ? attributes_->mode : file_mode);
    const bool made = ::mkdirat(opened_->descriptor, below(name).c_str(), mode) == 0;
    if (!made && errno != EEXIST)
        return failed(whole, "cannot make the directory");
    if (attributes_) {
        // A directory of another user was created by that user's recovery, which was then killed.
        const auto now = attributes_of(name);
        if (made || !now || now->user != attributes_->user) {
            if (auto given = give_directory(name); !given)
                return std::unexpected(std::move(given.error()));
        }
    }
    return made;
}

result<void> directory_handle::give_directory(std::string_view name) const {
    PAWL_ASSERT(attributes_.has_value());
    auto held = hold_below(name);
    if (!held)
        return std::unexpected(std::move(held.error()));
    file_attributes wanted = *attributes_;
    wanted.mode = directory_mode(wanted.mode);
    if (const int refusal = give_attributes(held->opened_->descriptor, wanted); refusal != 0)
        return std::unexpected(
            system_error(refusal, path_of(name), "cannot set owner, group and mode"));
    return {};
}

result<void> directory_handle::sync() const {
    const auto cannot_sync = [&] {
        return std::unexpected(sync_error(errno, path(), "cannot sync the directory"));
    };
    const auto sync_it = [&](int descriptor) -> result<void> {
        if (::fsync(descriptor) != 0)
            return cannot_sync();
        return check_not_lost(descriptor, path());
    };
    if (refused({.operation = io_operation::sync_directory, .path = path().c_str()}))
        return cannot_sync();
    if (opened_->descriptor != AT_FDCWD)
        return sync_it(opened_->descriptor);
    auto held = hold(path());
    if (!held)
        return std::unexpected(std::move(held.error()));
    return sync_it(held->opened_->descriptor);
}

result<void> directory_handle::write_whole(std::string_view name,
                                           std::span<const std::span<const std::byte>> parts,
                                           on_existing what, std::uint32_t permissions) const {
    const std::string temporary = std::string{name} + ".tmp";
    auto fresh = open(temporary, file::access::create, permissions);
    if (!fresh)
        return std::unexpected(std::move(fresh.error()));
    std::uint64_t offset = 0;
    for (const auto part : parts) {
        if (auto written = fresh->write_at(part, offset); !written)
            return written;
        offset += part.size();
    }
    if (auto synced = fresh->sync(); !synced)
        return synced;
    if (auto renamed = rename(temporary, name, what); !renamed)
        return renamed;
    return sync();
}

result<std::vector<std::byte>> directory_handle::read_whole(std::string_view name,
                                                            std::uint64_t limit) const {
    auto source = open(name, file::access::read);
    if (!source)
        return std::unexpected(std::move(source.error()));
    auto size = source->size();
    if (!size)
        return std::unexpected(std::move(size.error()));
    if (*size > limit) {
        return std::unexpected(error{.code = errc::damaged,
                                     .file = source->path().string(),
                                     .detail = "the file is larger than it can be"});
    }
    std::vector<std::byte> bytes(static_cast<std::size_t>(*size));
    if (auto read = source->read_at(bytes, 0); !read)
        return std::unexpected(std::move(read.error()));
    return bytes;
}

result<void> directory_handle::still_at_path() const {
    struct stat held{};
    struct stat named{};
    if (opened_->descriptor == AT_FDCWD || ::fstat(opened_->descriptor, &held) != 0)
        return {};
    const auto gone = [&](int os_error, std::string_view what) {
        return std::unexpected(error{.code = errc::not_found,
                                     .os_error = os_error,
                                     .file = path().string(),
                                     .detail = "the directory that was opened is no longer at "
                                               "this path: " +
                                               std::string{what}});
    };
    if (::stat(path().c_str(), &named) == 0) {
        if (same(held, named))
            return {};
        return gone(0, "another one is there now");
    }
    if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
        return {};
    return gone(errno, held.st_nlink == 0 ? "it was deleted" : "it was moved or deleted");
}

}  // namespace pawl::detail
