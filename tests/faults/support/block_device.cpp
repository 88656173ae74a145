#include "block_device.hpp"

#include "loop_janitor.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/loop.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace pawl::test {

namespace {

[[nodiscard]] std::string because(const char* call) {
    return fmt::format("{}: {}", call, std::strerror(errno));
}

class descriptor {
  public:
    explicit descriptor(int number) noexcept : number_{number} {}
    ~descriptor() {
        if (number_ >= 0)
            ::close(number_);
    }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    [[nodiscard]] int get() const noexcept { return number_; }
    [[nodiscard]] bool bad() const noexcept { return number_ < 0; }

  private:
    int number_;
};

}  // namespace

const char* name_of(file_system kind) noexcept {
    return kind == file_system::ext4 ? "ext4" : kind == file_system::xfs ? "xfs" : "btrfs";
}

std::uint64_t image_bytes_of(file_system kind) noexcept {
    const std::uint64_t megabytes = kind == file_system::ext4  ? 48
                                    : kind == file_system::xfs ? 304
                                                               : 128;
    return megabytes << 20;
}

int run_quietly(std::initializer_list<std::string> command) {
    std::vector<std::string> words{command};
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::posix_spawn_file_actions_t actions{};
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    ::pid_t child = 0;
    const int started =
        ::posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    if (started != 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

std::string make_file_system(const std::filesystem::path& image, file_system kind) {
    {
        const descriptor file{::open(image.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
        if (file.bad() || ::ftruncate(file.get(), static_cast<off_t>(image_bytes_of(kind))) != 0)
            return because("creating the image");
    }
    // Everything is laid out at once, so that the background writes nothing later. ext4's journal
    // is small, so that it wraps around within a history.
    const int status =
        kind == file_system::ext4
            ? run_quietly({"mkfs.ext4", "-q", "-F", "-b", "4096", "-J", "size=4", "-E",
                           "lazy_itable_init=0,lazy_journal_init=0", image.string()})
            : run_quietly({fmt::format("mkfs.{}", name_of(kind)), "-q", "-f", image.string()});
    return status == 0 ? std::string{}
                       : fmt::format("mkfs.{} exited with {}", name_of(kind), status);
}

std::string own_mounts() {
    if (::geteuid() != 0)
        return "not root";
    if (::unshare(CLONE_NEWNS) != 0)
        return because("unshare");
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        return because("making mounts private");
    return {};
}

loop_device::loop_device(loop_device&& other) noexcept
    : path_{std::exchange(other.path_, std::string{})} {}

std::string loop_device::attach(const std::filesystem::path& file) {
    const descriptor backing{::open(file.c_str(), O_RDWR | O_CLOEXEC)};
    if (backing.bad())
        return because("open");
    const descriptor control{::open("/dev/loop-control", O_RDWR | O_CLOEXEC)};
    if (control.bad())
        return because("/dev/loop-control");
    // Another process may take the free device first.
    for (int tries = 0; tries < 50; ++tries) {
        const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
        if (number < 0)
            return because("no free loop device");
        std::string path = fmt::format("/dev/loop{}", number);
        const descriptor device{::open(path.c_str(), O_RDWR | O_CLOEXEC)};
        if (device.bad())
            return because(path.c_str());
        ::loop_config config{};
        config.fd = static_cast<std::uint32_t>(backing.get());
        config.block_size = 512;
        if (::ioctl(device.get(), LOOP_CONFIGURE, &config) == 0) {
            path_ = std::move(path);
            remember_loop_device(path_);
            return {};
        }
        if (errno != EBUSY)
            return because("LOOP_CONFIGURE");
    }
    return "every loop device is taken";
}

void loop_device::detach() noexcept {
    if (path_.empty())
        return;
    detach_loop_device(path_);
    forget_loop_device(path_);
    path_.clear();
}

std::string mounted_file_system::mount(const std::string& device,
                                       const std::filesystem::path& where, file_system kind) {
    std::error_code ignored;
    std::filesystem::create_directories(where, ignored);
    const char* options = kind == file_system::ext4  ? "noinit_itable"
                          : kind == file_system::xfs ? "nouuid"
                                                     : "";
    if (::mount(device.c_str(), where.c_str(), name_of(kind), MS_NOATIME, options) != 0)
        return because("mount");
    where_ = where;
    return {};
}

std::string mounted_file_system::unmount() {
    if (where_.empty())
        return {};
    const std::filesystem::path where = std::exchange(where_, {});
    return ::umount2(where.c_str(), 0) == 0 ? std::string{} : because("unmount");
}

}  // namespace pawl::test
