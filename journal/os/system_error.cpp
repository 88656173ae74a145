#include "os/system_error.hpp"

#include <cerrno>
#include <string>

namespace pawl::detail {

error system_error(int os_error, const std::filesystem::path& path, std::string_view doing) {
    errc code = errc::io;
    if (os_error == ENOSPC || os_error == EDQUOT)
        code = errc::disk_full;
    if (os_error == ENOENT)
        code = errc::not_found;
    if (os_error == ENOMEM)
        code = errc::out_of_memory;
    if (os_error == EMFILE || os_error == ENFILE)
        code = errc::no_descriptors;
    return error{
        .code = code, .os_error = os_error, .file = path.string(), .detail = std::string{doing}};
}

bool is_shortage(const error& why) noexcept {
    // Never a failed sync, whatever its errno: sync_error() makes that io.
    return why.code == errc::disk_full || why.code == errc::out_of_memory ||
           why.code == errc::no_descriptors;
}

error sync_error(int os_error, const std::filesystem::path& path, std::string_view doing) {
    error made = system_error(os_error, path, doing);
    made.code = errc::io;
    return made;
}

}  // namespace pawl::detail
