#include "os/held_flock.hpp"

#include "os/assertion.hpp"

#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace pawl::detail {

namespace {

// 0 or an errno.
[[nodiscard]] int lock(const file& of, int operation) noexcept {
    PAWL_ASSERT(of);
    while (::flock(of.descriptor(), operation) != 0) {
        if (errno != EINTR)
            return errno;
    }
    return 0;
}

}  // namespace

held_flock::held_flock(file locked) noexcept : locked_{std::move(locked)}, process_{::getpid()} {}

held_flock& held_flock::operator=(held_flock&& other) noexcept {
    PAWL_ASSERT(!other.locked_ || other.process_ != 0);
    if (this != &other) {
        release();
        locked_ = std::move(other.locked_);
        process_ = other.process_;
    }
    return *this;
}

result<held_flock> held_flock::take(file of) {
    if (const int failed = lock(of, LOCK_EX); failed != 0)
        return std::unexpected(system_error(failed, of.path(), "cannot lock"));
    return held_flock{std::move(of)};
}

result<held_flock> held_flock::try_take(file of) {
    const int failed = lock(of, LOCK_EX | LOCK_NB);
    if (failed == EWOULDBLOCK)
        return std::unexpected(error{.code = errc::locked, .file = of.path().string()});
    if (failed != 0)
        return std::unexpected(system_error(failed, of.path(), "cannot lock"));
    return held_flock{std::move(of)};
}

void held_flock::release() noexcept {
    if (locked_ && process_ == ::getpid())
        (void)::flock(locked_.descriptor(), LOCK_UN);
    locked_.close();
}

}  // namespace pawl::detail
