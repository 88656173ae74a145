// A virtual machine without acceleration, so that it also runs inside another one.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace pawl::test {

// The boot files of the machines: a kernel, and a memory file system with this program in it.
class guest_system {
  public:
    // Returns why it is not available, else empty. The kernel is kept in `cache` for the next time.
    [[nodiscard]] std::string prepare(const std::filesystem::path& cache);
    [[nodiscard]] const std::filesystem::path& kernel() const noexcept { return kernel_; }
    [[nodiscard]] const std::filesystem::path& initramfs() const noexcept { return initramfs_; }

  private:
    std::filesystem::path kernel_;
    std::filesystem::path initramfs_;
};

class virtual_machine {
  public:
    struct parts {
        const guest_system* system = nullptr;
        std::filesystem::path disk;
        std::filesystem::path console;  // what the guest prints; replaced
        std::uint64_t seed = 0;         // passed to the guest's program
    };

    // Returns why it could not, else empty.
    [[nodiscard]] std::string start(const parts& made_of);
    // False once the machine has ended on its own.
    [[nodiscard]] bool runs();
    // Kills it at once: what its kernel had not written to the disk is lost.
    void kill() noexcept;

    virtual_machine() = default;
    ~virtual_machine() { kill(); }
    virtual_machine(const virtual_machine&) = delete;
    virtual_machine& operator=(const virtual_machine&) = delete;

  private:
    ::pid_t process_ = 0;
};

}  // namespace pawl::test
