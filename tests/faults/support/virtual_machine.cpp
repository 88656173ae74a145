#include "virtual_machine.hpp"

#include "block_device.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

namespace pawl::test {

namespace {

constexpr const char* emulator = "qemu-system-x86_64";

[[nodiscard]] bool is_installed(const std::string& program) {
    return run_quietly({program, "--version"}) == 0;
}

// The kernel's command line. It passes parameters that it does not know to the first process, in
// its environment.
[[nodiscard]] std::string kernel_arguments(std::uint64_t seed) {
    // On a busy host, the check of the timer fails.
    std::string result = fmt::format(
        "console=ttyS0 quiet panic=-1 no_timer_check mitigations=off pawl.seed={}", seed);
    if (const char* bug = std::getenv("PAWL_PLANTED_BUG"))
        result += fmt::format(" PAWL_PLANTED_BUG={}", bug);
    return result;
}

[[nodiscard]] std::vector<std::string> command_line(const virtual_machine::parts& made_of) {
    return {
        emulator, "-M", "q35", "-m", "192", "-accel", "tcg", "-nodefaults", "-no-user-config",
        "-display", "none", "-no-reboot", "-kernel", made_of.system->kernel(), "-initrd",
        made_of.system->initramfs(), "-append", kernel_arguments(made_of.seed),
        // With writeback, the guest sees a disk with a volatile cache, and so flushes it. What it
        // has flushed is in the host's page cache, and outlives the emulator.
        "-drive",
        fmt::format("file={},format=raw,if=none,id=disk,cache=writeback", made_of.disk.string()),
        "-device", "virtio-blk-pci,drive=disk", "-serial",
        fmt::format("file:{}", made_of.console.string())};
}

}  // namespace

std::string guest_system::prepare(const std::filesystem::path& cache) {
    if (!is_installed(emulator))
        return fmt::format("no {}", emulator);
    std::error_code code;
    std::filesystem::create_directories(cache, code);
    const auto said = cache / "said";
    const int status = run_quietly({"bash", "-c", "\"$1\" \"$2\" \"$3\" 2>\"$4\"", "guest",
                                    PAWL_TESTS_DIR "/faults/support/guest.sh", cache.string(),
                                    std::filesystem::read_symlink("/proc/self/exe", code).string(),
                                    said.string()});
    if (status != 0) {
        std::ifstream file{said};
        std::string why;
        std::getline(file, why);
        return why.empty() ? "no kernel to boot" : why;
    }
    kernel_ = cache / "vmlinuz";
    initramfs_ = cache / "initramfs";
    return {};
}

std::string virtual_machine::start(const parts& made_of) {
    std::error_code ignored;
    std::filesystem::remove(made_of.console, ignored);
    std::vector<std::string> words = command_line(made_of);
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    process_ = ::fork();
    if (process_ < 0)
        return "cannot fork";
    if (process_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int nowhere = ::open("/dev/null", O_RDWR);
        ::dup2(nowhere, STDIN_FILENO);
        ::dup2(nowhere, STDOUT_FILENO);
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    return {};
}

bool virtual_machine::runs() {
    if (process_ <= 0)
        return false;
    if (::waitpid(process_, nullptr, WNOHANG) == 0)
        return true;
    process_ = 0;
    return false;
}

void virtual_machine::kill() noexcept {
    const ::pid_t process = std::exchange(process_, 0);
    if (process <= 0)
        return;
    ::kill(process, SIGKILL);
    ::waitpid(process, nullptr, 0);
}

}  // namespace pawl::test
