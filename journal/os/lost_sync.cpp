#include "os/lost_sync.hpp"

#include "os/assertion.hpp"
#include "os/system_error.hpp"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <cerrno>

namespace pawl::detail {

namespace {

[[nodiscard]] bool may_lose_a_sync(int descriptor) noexcept {
    struct statfs status{};
    return ::fstatfs(descriptor, &status) == 0 &&
           (status.f_type == EXT4_SUPER_MAGIC || status.f_type == XFS_SUPER_MAGIC);
}

}  // namespace

result<void> check_not_lost(int descriptor, const std::filesystem::path& path) {
    PAWL_ASSERT(descriptor >= 0);
    if (!may_lose_a_sync(descriptor))
        return {};
    // To look for the attribute, the file system begins a transaction; there is none of that name.
    if (::fremovexattr(descriptor, "user.pawl.none") == 0)
        return {};
    const int refusal = errno;
    if (refusal != EIO && refusal != EROFS)
        return {};
    return std::unexpected(sync_error(refusal, path,
                                      "the sync reported success, but the file system has failed "
                                      "and may have lost what was written"));
}

}  // namespace pawl::detail
