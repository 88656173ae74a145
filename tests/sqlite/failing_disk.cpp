#include "failing_disk.hpp"

#include <sqlite3.h>

#include <new>

namespace pawl::test {

namespace {

struct plan {
    bool armed = false;
    bool failed = false;
    disk_failure what = disk_failure::full;
    std::uint64_t left = 0;
};
plan now;

[[nodiscard]] bool fails(disk_failure here) noexcept {
    if (!now.armed || now.what != here || now.left-- != 0)
        return false;
    now.armed = false;
    now.failed = true;
    return true;
}

// The file of the default file system lies behind it.
struct wrapped {
    sqlite3_file base;
};

[[nodiscard]] sqlite3_file* real(sqlite3_file* of) noexcept {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<wrapped*>(of) + 1);
}

int close_file(sqlite3_file* f) {
    return real(f)->pMethods == nullptr ? SQLITE_OK : real(f)->pMethods->xClose(real(f));
}
int read(sqlite3_file* f, void* to, int bytes, sqlite3_int64 at) {
    return real(f)->pMethods->xRead(real(f), to, bytes, at);
}
int write(sqlite3_file* f, const void* from, int bytes, sqlite3_int64 at) {
    if (fails(disk_failure::full))
        return SQLITE_FULL;
    if (fails(disk_failure::write_error))
        return SQLITE_IOERR_WRITE;
    return real(f)->pMethods->xWrite(real(f), from, bytes, at);
}
int truncate(sqlite3_file* f, sqlite3_int64 size) {
    return real(f)->pMethods->xTruncate(real(f), size);
}
// The power stays on, so that a sync has nothing to do.
int sync(sqlite3_file*, int) {
    return fails(disk_failure::sync_error) ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}
int file_size(sqlite3_file* f, sqlite3_int64* size) {
    return real(f)->pMethods->xFileSize(real(f), size);
}
int lock(sqlite3_file* f, int level) {
    if (fails(disk_failure::busy))
        return SQLITE_BUSY;
    return real(f)->pMethods->xLock(real(f), level);
}
int unlock(sqlite3_file* f, int level) {
    return real(f)->pMethods->xUnlock(real(f), level);
}
int check_lock(sqlite3_file* f, int* locked) {
    return real(f)->pMethods->xCheckReservedLock(real(f), locked);
}
int control(sqlite3_file* f, int what, void* argument) {
    return real(f)->pMethods->xFileControl(real(f), what, argument);
}
int sector_size(sqlite3_file* f) {
    return real(f)->pMethods->xSectorSize(real(f));
}
int characteristics(sqlite3_file* f) {
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}
int map_shared(sqlite3_file* f, int page, int bytes, int extend, void volatile** to) {
    return real(f)->pMethods->xShmMap(real(f), page, bytes, extend, to);
}
int lock_shared(sqlite3_file* f, int offset, int n, int flags) {
    return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}
void barrier(sqlite3_file* f) {
    real(f)->pMethods->xShmBarrier(real(f));
}
int unmap_shared(sqlite3_file* f, int remove) {
    return real(f)->pMethods->xShmUnmap(real(f), remove);
}

constexpr sqlite3_io_methods methods{.iVersion = 2,
                                     .xClose = &close_file,
                                     .xRead = &read,
                                     .xWrite = &write,
                                     .xTruncate = &truncate,
                                     .xSync = &sync,
                                     .xFileSize = &file_size,
                                     .xLock = &lock,
                                     .xUnlock = &unlock,
                                     .xCheckReservedLock = &check_lock,
                                     .xFileControl = &control,
                                     .xSectorSize = &sector_size,
                                     .xDeviceCharacteristics = &characteristics,
                                     .xShmMap = &map_shared,
                                     .xShmLock = &lock_shared,
                                     .xShmBarrier = &barrier,
                                     .xShmUnmap = &unmap_shared,
                                     .xFetch = nullptr,
                                     .xUnfetch = nullptr};

sqlite3_vfs* default_system = nullptr;

int open_file(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* f, int flags, int* got) {
    new (f) wrapped{};
    real(f)->pMethods = nullptr;
    const int code = default_system->xOpen(default_system, name, real(f), flags, got);
    f->pMethods = real(f)->pMethods == nullptr ? nullptr : &methods;
    return code;
}

[[nodiscard]] sqlite3_vfs make_system() {
    sqlite3_vfs made = *default_system;
    made.zName = "failing";
    made.szOsFile += static_cast<int>(sizeof(wrapped));
    made.xOpen = &open_file;
    return made;
}

sqlite3_vfs wrapping;

}  // namespace

failing_disk::failing_disk() {
    default_system = sqlite3_vfs_find(nullptr);
    wrapping = make_system();
    sqlite3_vfs_register(&wrapping, 1);
    repair();
}

failing_disk::~failing_disk() {
    sqlite3_vfs_unregister(&wrapping);
    sqlite3_vfs_register(default_system, 1);
}

void failing_disk::fail(disk_failure what, std::uint64_t n) noexcept {
    now = {.armed = true, .failed = false, .what = what, .left = n};
}
void failing_disk::repair() noexcept {
    now.armed = false;
}
bool failing_disk::has_failed() const noexcept {
    return now.failed;
}

}  // namespace pawl::test
