// Replaces C library functions in the programs that link this: memory_files serves paths below
// /simulated, and everything else goes to the kernel as before.
#include "controlled_process.hpp"
#include "memory_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <vector>

using pawl::test::memory_file;
using pawl::test::memory_file_pointer;
using pawl::test::page_buffer;
namespace memory_files = pawl::test::memory_files;
namespace store_watch = pawl::test::store_watch;

namespace {

constexpr int first_descriptor = 1'000'000;
constexpr std::size_t page = 4096;

// These tables are never destroyed: another static object's destructor may still close a file.
std::vector<memory_file_pointer>& descriptors() {
    static std::vector<memory_file_pointer>& table = *new std::vector<memory_file_pointer>;
    return table;
}
std::vector<std::string>& directory_paths() {
    static std::vector<std::string>& table = *new std::vector<std::string>;
    return table;
}

[[nodiscard]] bool ours(int descriptor) noexcept {
    return descriptor >= first_descriptor;
}
[[nodiscard]] memory_file* file_of(int descriptor) {
    const auto index = static_cast<std::size_t>(descriptor - first_descriptor);
    return index < descriptors().size() ? descriptors()[index].get() : nullptr;
}

int failed(int why) noexcept {
    errno = why;
    return -1;
}
template <class Value>
int answered(Value value) noexcept {
    return static_cast<int>(value);
}

int new_descriptor(memory_file_pointer file, const char* path) {
    auto& table = descriptors();
    const auto free = std::ranges::find(table, nullptr);
    const auto index = static_cast<std::size_t>(free - table.begin());
    if (free == table.end()) {
        table.emplace_back();
        directory_paths().emplace_back();
    }
    directory_paths()[index] = file->directory ? path : "";
    table[index] = std::move(file);
    return first_descriptor + static_cast<int>(index);
}

// The whole path of a name below a directory of ours; otherwise the name itself.
std::string path_below(int directory, const char* name) {
    if (!ours(directory) || name[0] == '/')
        return name;
    const std::string& path =
        directory_paths()[static_cast<std::size_t>(directory - first_descriptor)];
    return std::string_view{name} == "." ? path : path + '/' + name;
}

int open_in_memory(const char* path, int flags) {
    auto file = memory_files::find(path);
    if (file == nullptr) {
        if ((flags & O_CREAT) == 0)
            return failed(ENOENT);
        file = memory_files::create(path, false);
    }
    if ((flags & O_DIRECTORY) != 0 && !file->directory)
        return failed(ENOTDIR);
    if ((flags & O_TRUNC) != 0)
        file->resize(0);
    return new_descriptor(std::move(file), path);
}

void describe(const memory_file& file, struct stat& into) noexcept {
    into = {};
    into.st_ino = file.number;
    into.st_dev = 1;
    into.st_mode = file.directory ? S_IFDIR | S_IRWXU : S_IFREG | S_IRUSR | S_IWUSR;
    into.st_nlink = 1;
    into.st_size = static_cast<off_t>(file.size);
    into.st_blksize = page;
}

int stat_in_memory(const char* path, struct stat* into) {
    const auto file = memory_files::find(path);
    if (file == nullptr)
        return failed(ENOENT);
    describe(*file, *into);
    return 0;
}

// Finds where data or a hole begins; a page of zeros counts as a hole.
off_t seek_in_memory(const memory_file& file, off_t from, int whence) {
    static constexpr std::array<std::byte, page> zeros{};
    auto at = static_cast<std::uint64_t>(from);
    if (at >= file.size)
        return failed(ENXIO);
    while (at < file.size) {
        const std::uint64_t end = std::min<std::uint64_t>(file.size, (at / page + 1) * page);
        const bool zero = std::memcmp(file.bytes.data() + at, zeros.data(), end - at) == 0;
        if (zero == (whence == SEEK_HOLE))
            return static_cast<off_t>(at);
        at = end;
    }
    return whence == SEEK_HOLE ? static_cast<off_t>(file.size) : failed(ENXIO);
}

// One mapping, of a file or anonymous.
struct mapped {
    memory_file_pointer file;  // shared: the mapping is the file's own bytes
    page_buffer copy;          // private or anonymous
    int count = 1;
};
std::map<const void*, mapped>& mappings() {
    static std::map<const void*, mapped>& table = *new std::map<const void*, mapped>;
    return table;
}

void* map_in_memory(std::size_t bytes, int protection, int flags, int descriptor) {
    memory_file* file = file_of(descriptor);
    if (file == nullptr || bytes > file->bytes.size()) {
        errno = EINVAL;
        return MAP_FAILED;
    }
    if ((flags & MAP_TYPE) == MAP_PRIVATE) {
        page_buffer copy{bytes};
        std::memcpy(copy.data(), file->bytes.data(), bytes);
        void* at = copy.data();
        mappings().emplace(at, mapped{nullptr, std::move(copy)});
        return at;
    }
    void* at = file->bytes.data();
    const auto index = static_cast<std::size_t>(descriptor - first_descriptor);
    const auto [place, fresh] = mappings().try_emplace(at, mapped{descriptors()[index], {}});
    if (!fresh)
        ++place->second.count;
    ++file->mappings;
    if ((protection & PROT_WRITE) != 0)
        store_watch::mapped(at, bytes);
    return at;
}

[[nodiscard]] bool unmap_in_memory(void* begin) {
    const auto found = mappings().find(begin);
    if (found == mappings().end())
        return false;
    if (found->second.file != nullptr)
        --found->second.file->mappings;
    if (--found->second.count == 0) {
        store_watch::unmapped(begin);
        mappings().erase(found);
    }
    return true;
}

// A directory that is being read.
struct listing {
    std::vector<memory_files::entry> entries;
    std::size_t next = 0;
    int descriptor = -1;
    dirent shown{};
};
std::vector<listing*>& listings() {
    static std::vector<listing*>& table = *new std::vector<listing*>;
    return table;
}
[[nodiscard]] listing* listing_of(DIR* directory) {
    auto* candidate = reinterpret_cast<listing*>(directory);
    const auto found = std::ranges::find(listings(), candidate);
    return found == listings().end() ? nullptr : candidate;
}

DIR* list_in_memory(int descriptor) {
    const auto index = static_cast<std::size_t>(descriptor - first_descriptor);
    auto* made =
        new listing{memory_files::list(directory_paths()[index], false), 0, descriptor, {}};
    listings().push_back(made);
    return reinterpret_cast<DIR*>(made);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    if (memory_files::holds(path))
        return open_in_memory(path, flags);
    // To find out who and where the writer is would take as long as all the rest of an open.
    if (std::strncmp(path, "/proc/", 6) == 0 && pawl::test::controlled_process::active())
        return failed(ENOENT);
    va_list rest;
    va_start(rest, flags);
    const auto mode = va_arg(rest, mode_t);
    va_end(rest);
    return answered(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

int openat(int directory, const char* path, int flags, ...) {
    if (const std::string whole = path_below(directory, path); memory_files::holds(whole.c_str()))
        return open_in_memory(whole.c_str(), flags);
    va_list rest;
    va_start(rest, flags);
    const auto mode = va_arg(rest, mode_t);
    va_end(rest);
    return answered(::syscall(SYS_openat, directory, path, flags, mode));
}

int close(int descriptor) {
    if (!ours(descriptor))
        return answered(::syscall(SYS_close, descriptor));
    memory_file* file = file_of(descriptor);
    if (file == nullptr)
        return failed(EBADF);
    if (file->lock_holder == descriptor)
        file->lock_holder = -1;
    if (file->flock_holder == descriptor)
        file->flock_holder = -1;
    descriptors()[static_cast<std::size_t>(descriptor - first_descriptor)] = nullptr;
    return 0;
}

int fstat(int descriptor, struct stat* into) noexcept {
    if (!ours(descriptor))
        return answered(::syscall(SYS_fstat, descriptor, into));
    describe(*file_of(descriptor), *into);
    return 0;
}
int stat(const char* path, struct stat* into) noexcept {
    return memory_files::holds(path) ? stat_in_memory(path, into)
                                     : answered(::syscall(SYS_newfstatat, AT_FDCWD, path, into, 0));
}
int lstat(const char* path, struct stat* into) noexcept {
    return memory_files::holds(path)
               ? stat_in_memory(path, into)
               : answered(::syscall(SYS_newfstatat, AT_FDCWD, path, into, AT_SYMLINK_NOFOLLOW));
}
int fstatat(int directory, const char* path, struct stat* into, int flags) noexcept {
    const std::string whole = path_below(directory, path);
    return memory_files::holds(whole.c_str())
               ? stat_in_memory(whole.c_str(), into)
               : answered(::syscall(SYS_newfstatat, directory, path, into, flags));
}

ssize_t pread(int descriptor, void* into, size_t bytes, off_t offset) {
    if (!ours(descriptor))
        return ::syscall(SYS_pread64, descriptor, into, bytes, offset);
    const memory_file& file = *file_of(descriptor);
    const auto from = std::min(static_cast<std::uint64_t>(offset), file.size);
    const std::size_t got = std::min<std::uint64_t>(bytes, file.size - from);
    if (got != 0)
        std::memcpy(into, file.bytes.data() + from, got);
    return static_cast<ssize_t>(got);
}

ssize_t pwrite(int descriptor, const void* from, size_t bytes, off_t offset) {
    if (!ours(descriptor))
        return ::syscall(SYS_pwrite64, descriptor, from, bytes, offset);
    file_of(descriptor)
        ->write(static_cast<std::uint64_t>(offset), {static_cast<const std::byte*>(from), bytes});
    return static_cast<ssize_t>(bytes);
}

off_t lseek(int descriptor, off_t offset, int whence) noexcept {
    if (!ours(descriptor))
        return ::syscall(SYS_lseek, descriptor, offset, whence);
    return seek_in_memory(*file_of(descriptor), offset, whence);
}

int posix_fallocate(int descriptor, off_t offset, off_t bytes) {
    if (!ours(descriptor)) {
        return ::syscall(SYS_fallocate, descriptor, 0, offset, bytes) == 0 ? 0 : errno;
    }
    memory_file& file = *file_of(descriptor);
    file.resize(std::max(file.size, static_cast<std::uint64_t>(offset + bytes)));
    return 0;
}

int fallocate(int descriptor, int mode, off_t offset, off_t bytes) {
    if (!ours(descriptor))
        return answered(::syscall(SYS_fallocate, descriptor, mode, offset, bytes));
    if (mode != (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
        return failed(EOPNOTSUPP);
    const auto contents = file_of(descriptor)->contents();
    const auto from = std::min(static_cast<std::size_t>(offset), contents.size());
    std::ranges::fill(
        contents.subspan(from, std::min(static_cast<std::size_t>(bytes), contents.size() - from)),
        std::byte{0});
    return 0;
}

int fdatasync(int descriptor) {
    return ours(descriptor) ? 0 : answered(::syscall(SYS_fdatasync, descriptor));
}
int fsync(int descriptor) {
    return ours(descriptor) ? 0 : answered(::syscall(SYS_fsync, descriptor));
}

int renameat2(int from_directory, const char* from, int to_directory, const char* to,
              unsigned flags) noexcept {
    const std::string source = path_below(from_directory, from);
    const std::string target = path_below(to_directory, to);
    if (!memory_files::holds(source.c_str()))
        return answered(::syscall(SYS_renameat2, from_directory, from, to_directory, to, flags));
    if ((flags & RENAME_NOREPLACE) != 0 && memory_files::find(target) != nullptr)
        return failed(EEXIST);
    return memory_files::rename(source, target) ? 0 : failed(ENOENT);
}
int renameat(int from_directory, const char* from, int to_directory, const char* to) noexcept {
    return renameat2(from_directory, from, to_directory, to, 0);
}
int unlinkat(int directory, const char* path, int flags) noexcept {
    const std::string whole = path_below(directory, path);
    if (!memory_files::holds(whole.c_str()))
        return answered(::syscall(SYS_unlinkat, directory, path, flags));
    return memory_files::remove(whole) ? 0 : failed(ENOENT);
}
int mkdirat(int directory, const char* path, mode_t mode) noexcept {
    const std::string whole = path_below(directory, path);
    if (!memory_files::holds(whole.c_str()))
        return answered(::syscall(SYS_mkdirat, directory, path, mode));
    if (memory_files::find(whole) != nullptr)
        return failed(EEXIST);
    memory_files::create(whole, true);
    return 0;
}

int fcntl(int descriptor, int command, ...) {
    va_list rest;
    va_start(rest, command);
    void* argument = va_arg(rest, void*);
    va_end(rest);
    if (!ours(descriptor))
        return answered(::syscall(SYS_fcntl, descriptor, command, argument));
    memory_file& file = *file_of(descriptor);
    auto* request = static_cast<struct flock*>(argument);
    const bool free = file.lock_holder == -1 || file.lock_holder == descriptor;
    if (command == F_OFD_SETLK) {
        if (!free)
            return failed(EAGAIN);
        file.lock_holder = descriptor;
    } else if (command == F_OFD_GETLK) {
        if (free)
            request->l_type = F_UNLCK;
    }
    return 0;
}

// Nothing in these programs waits for a lock, so one that is held is refused, not waited for.
int flock(int descriptor, int operation) noexcept {
    if (!ours(descriptor))
        return answered(::syscall(SYS_flock, descriptor, operation));
    memory_file& file = *file_of(descriptor);
    if (file.flock_holder != -1 && file.flock_holder != descriptor)
        return failed(EWOULDBLOCK);
    file.flock_holder = (operation & LOCK_UN) != 0 ? -1 : descriptor;
    return 0;
}

int statfs(const char* path, struct statfs* into) noexcept {
    if (!memory_files::holds(path))
        return answered(::syscall(SYS_statfs, path, into));
    *into = {};
    return 0;
}

void* mmap(void* hint, size_t bytes, int protection, int flags, int descriptor,
           off_t offset) noexcept {
    constexpr std::size_t most_pooled = std::size_t{256} << 10;
    if (ours(descriptor))
        return map_in_memory(bytes, protection, flags, descriptor);
    if (descriptor == -1 && hint == nullptr && bytes <= most_pooled &&
        pawl::test::controlled_process::active()) {
        page_buffer memory{bytes};
        void* at = memory.data();
        mappings().emplace(at, mapped{nullptr, std::move(memory)});
        return at;
    }
    return reinterpret_cast<void*>(
        ::syscall(SYS_mmap, hint, bytes, protection, flags, descriptor, offset));
}

int munmap(void* begin, size_t bytes) noexcept {
    return unmap_in_memory(begin) ? 0 : answered(::syscall(SYS_munmap, begin, bytes));
}

int msync(void* begin, size_t bytes, int flags) {
    return pawl::test::controlled_process::active()
               ? 0
               : answered(::syscall(SYS_msync, begin, bytes, flags));
}

int madvise(void* begin, size_t bytes, int advice) noexcept {
    return pawl::test::controlled_process::active()
               ? 0
               : answered(::syscall(SYS_madvise, begin, bytes, advice));
}

DIR* fdopendir(int descriptor) {
    if (ours(descriptor))
        return list_in_memory(descriptor);
    errno = ENOTSUP;  // these programs read no other directory
    return nullptr;
}
DIR* opendir(const char* path) {
    if (!memory_files::holds(path)) {
        errno = ENOTSUP;
        return nullptr;
    }
    const int descriptor = open_in_memory(path, O_RDONLY | O_DIRECTORY);
    return descriptor < 0 ? nullptr : list_in_memory(descriptor);
}
struct dirent* readdir(DIR* directory) {
    listing* reading = listing_of(directory);
    if (reading == nullptr || reading->next == reading->entries.size())
        return nullptr;
    const auto& entry = reading->entries[reading->next++];
    reading->shown = {};
    reading->shown.d_ino = entry.file->number;
    reading->shown.d_type = entry.file->directory ? DT_DIR : DT_REG;
    std::strncpy(reading->shown.d_name, entry.name.c_str(), sizeof reading->shown.d_name - 1);
    return &reading->shown;
}
int closedir(DIR* directory) {
    listing* reading = listing_of(directory);
    if (reading == nullptr)
        return failed(EBADF);
    std::erase(listings(), reading);
    const int descriptor = reading->descriptor;
    delete reading;
    return ::close(descriptor);
}
}
