#include "store/consumers_lock.hpp"

#include "store/consumer_file.hpp"

#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace pawl::detail {

consumers_lock::consumers_lock(file locked) noexcept
    : locked_{std::move(locked)}, process_{::getpid()} {}

consumers_lock& consumers_lock::operator=(consumers_lock&& other) noexcept {
    if (this != &other) {
        release();
        locked_ = std::move(other.locked_);
        process_ = other.process_;
    }
    return *this;
}

consumers_lock::~consumers_lock() {
    release();
}

result<consumers_lock> consumers_lock::take(const directory_handle& directory) {
    auto opened = directory.open(".", file::access::read);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    int done = 0;
    do {
        done = ::flock(opened->descriptor(), LOCK_EX);
    } while (done != 0 && errno == EINTR);
    if (done != 0)
        return std::unexpected(system_error(errno, directory.path(), "cannot lock the directory"));
    return consumers_lock{std::move(*opened)};
}

result<consumers_lock> consumers_lock::take_for_prune(const directory_handle& journal) {
    auto consumers = find_consumers(journal);
    if (!consumers)
        return std::unexpected(std::move(consumers.error()));
    if (*consumers)
        return take(**consumers);
    auto alone = take(journal);
    if (!alone)
        return alone;
    // A process may have made the directory before this one got the lock.
    consumers = find_consumers(journal);
    if (!consumers)
        return std::unexpected(std::move(consumers.error()));
    return *consumers ? take(**consumers) : std::move(alone);
}

// A child that another thread forked meanwhile has a copy of the descriptor, which would keep the
// lock for as long as the child lives; an explicit unlock ends it for both. The child must not end
// the lock of its parent.
void consumers_lock::release() noexcept {
    if (locked_ && process_ == ::getpid())
        (void)::flock(locked_.descriptor(), LOCK_UN);
    locked_.close();
}

}  // namespace pawl::detail
