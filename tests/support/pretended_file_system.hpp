// Has statfs name another file system than there is. Included in exactly one source of a program,
// since it defines the function.
#pragma once

#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace pawl::test {

inline std::atomic<std::uint32_t> pretended_type{0};  // 0: the truth

// While it lives, every directory is on a file system of that type.
class pretended_file_system {
  public:
    static constexpr std::uint32_t fuse = 0x65735546;
    static constexpr std::uint32_t nfs = 0x6969;

    explicit pretended_file_system(std::uint32_t type) noexcept { pretended_type = type; }
    pretended_file_system(const pretended_file_system&) = delete;
    pretended_file_system& operator=(const pretended_file_system&) = delete;
    ~pretended_file_system() { pretended_type = 0; }
};

}  // namespace pawl::test

extern "C" int statfs(const char* path, struct statfs* into) noexcept {
    const auto answer = static_cast<int>(::syscall(SYS_statfs, path, into));
    if (answer == 0 && pawl::test::pretended_type != 0)
        into->f_type = static_cast<decltype(into->f_type)>(pawl::test::pretended_type.load());
    return answer;
}
