#include "store/writer_lock.hpp"

#include "os/assertion.hpp"
#include "os/io_hook.hpp"
#include "os/mapping.hpp"
#include "store/directory.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

namespace pawl::detail {

namespace {

std::mutex held_mutex;
writer_lock* held_first = nullptr;

void lock_before_fork() {
    held_mutex.lock();
}
void unlock_in_parent() {
    held_mutex.unlock();
}

[[nodiscard]] struct flock whole_file(short type) noexcept {
    struct flock request{};
    request.l_type = type;
    request.l_whence = SEEK_SET;
    return request;
}

[[nodiscard]] bool is_named(const file& opened, const directory_handle& directory,
                            std::string_view name) {
    const auto by_descriptor = opened.identity();
    const auto by_name = directory.identity_of(name);
    return by_descriptor && by_name && *by_descriptor == *by_name;
}

[[nodiscard]] result<void> lock_whole(const file& opened, const directory_handle& directory,
                                      std::string_view name) {
    PAWL_ASSERT(opened);
    const auto& path = opened.path();
    if (const int refused = call_io_hook({.operation = io_operation::lock, .path = path.c_str()});
        refused != 0) {
        return std::unexpected(system_error(refused, path, "cannot lock"));
    }
    struct flock request = whole_file(F_WRLCK);
    if (::fcntl(opened.descriptor(), F_OFD_SETLK, &request) != 0) {
        if (errno == EAGAIN || errno == EACCES) {
            return std::unexpected(error{.code = errc::locked,
                                         .file = path.string(),
                                         .detail = "another writer holds the journal"});
        }
        return std::unexpected(system_error(errno, path, "cannot lock"));
    }
    // If somebody replaced the file between open and lock, two writers could hold two locks.
    if (!is_named(opened, directory, name)) {
        return std::unexpected(error{.code = errc::locked,
                                     .file = path.string(),
                                     .detail = "the file was replaced while it was locked"});
    }
    return {};
}

// Closing the descriptor is not enough: a child that was just forked holds a copy until its handler
// has run, and the lock lasts as long as any copy. An explicit unlock ends it for all of them.
void unlock_whole(const file& opened) noexcept {
    PAWL_ASSERT(opened);
    struct flock request = whole_file(F_UNLCK);
    (void)::fcntl(opened.descriptor(), F_OFD_SETLK, &request);
}

[[nodiscard]] result<bool> somebody_locks(const directory_handle& directory,
                                          std::string_view name) {
    auto opened = directory.open(name, file::access::read);
    if (!opened) {
        if (opened.error().code == errc::not_found)
            return false;
        return std::unexpected(std::move(opened.error()));
    }
    struct flock request = whole_file(F_RDLCK);
    if (::fcntl(opened->descriptor(), F_OFD_GETLK, &request) != 0) {
        return std::unexpected(system_error(errno, opened->path(), "cannot query the lock"));
    }
    return request.l_type != F_UNLCK;
}

[[nodiscard]] result<file> open_lock_file(const directory_handle& directory, std::uint32_t mode) {
    // Creates the file only if there is none, because creating truncates, and another writer may
    // hold it.
    auto opened = directory.open(lock_name, file::access::read_write);
    if (opened) {
        // A file owned by root was created by root's recovery, which was then killed. If it cannot
        // be given away, it serves as it is.
        (void)directory.give(*opened);
        return opened;
    }
    if (opened.error().code != errc::not_found)
        return opened;
    auto created = directory.open(lock_name, file::access::create, mode);
    return created;
}

}  // namespace

void writer_lock::forget_in_child() noexcept {
    for (writer_lock* held = held_first; held != nullptr; held = held->next_) {
        held->lock_.close();
        held->identity_.close();
    }
    held_first = nullptr;
    held_mutex.unlock();
}

writer_lock::writer_lock(directory_handle directory, file lock) noexcept
    : directory_{std::move(directory)}, lock_{std::move(lock)} {}

result<std::unique_ptr<writer_lock>> writer_lock::acquire(const directory_handle& directory,
                                                          std::uint32_t mode) {
    static std::once_flag registered;
    std::call_once(registered, [] {
        ::pthread_atfork(&lock_before_fork, &unlock_in_parent, &writer_lock::forget_in_child);
    });

    auto opened = open_lock_file(directory, mode);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    if (auto locked = lock_whole(*opened, directory, lock_name); !locked)
        return std::unexpected(std::move(locked.error()));
    std::unique_ptr<writer_lock> lock{new (std::nothrow)
                                          writer_lock{directory, std::move(*opened)}};
    if (lock == nullptr)
        return fail(errc::out_of_memory);
    const std::scoped_lock guard{held_mutex};
    PAWL_ASSERT(held_first == nullptr || held_first->previous_ == nullptr);
    lock->next_ = held_first;
    if (held_first != nullptr)
        held_first->previous_ = lock.get();
    held_first = lock.get();
    return lock;
}

result<void> writer_lock::hold_identity() {
    PAWL_ASSERT(lock_ && !identity_);
    auto opened = directory_.open(identity_name, file::access::read_write);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    if (auto locked = lock_whole(*opened, directory_, identity_name); !locked)
        return locked;
    const std::scoped_lock guard{held_mutex};
    identity_ = std::move(*opened);
    return {};
}

result<bool> writer_lock::is_held(const directory_handle& directory) {
    auto held = somebody_locks(directory, lock_name);
    if (held && !*held)
        held = somebody_locks(directory, identity_name);
    return held;
}

writer_lock::~writer_lock() {
    const std::scoped_lock guard{held_mutex};
    if (!lock_)
        return;  // a forked child has forgotten it
    PAWL_ASSERT((previous_ == nullptr) == (held_first == this));
    PAWL_ASSERT(next_ == nullptr || next_->previous_ == this);
    unlock_whole(lock_);
    if (identity_)
        unlock_whole(identity_);
    if (previous_ != nullptr)
        previous_->next_ = next_;
    if (held_first == this)
        held_first = next_;
    if (next_ != nullptr)
        next_->previous_ = previous_;
}

fork_word::fork_word(void* page) noexcept : word_{new(page) std::atomic<std::uint32_t>{0}} {}

fork_word::fork_word(fork_word&& other) noexcept : word_{std::exchange(other.word_, nullptr)} {}

fork_word::~fork_word() {
    if (word_ != nullptr)
        ::munmap(static_cast<void*>(word_), page_bytes());
}

result<fork_word> fork_word::create() {
    void* page =
        ::mmap(nullptr, page_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return std::unexpected(system_error(errno, {}, "cannot map a page"));
    if (::madvise(page, page_bytes(), MADV_WIPEONFORK) != 0) {
        const int why = errno;
        ::munmap(page, page_bytes());
        return std::unexpected(system_error(why, {}, "cannot mark a page to be wiped on fork"));
    }
    return fork_word{page};
}

}  // namespace pawl::detail
