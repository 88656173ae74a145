#include "measure/machine.hpp"

#include "measure/affinity.hpp"
#include "measure/clock.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <xxhash.h>

#include <pawl/journal/version.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#if PAWL_BENCH_PEERS
#include <lmdb.h>
#include <rocksdb/version.h>
#include <sqlite3.h>
#endif

namespace bench {
namespace {

std::string first_line(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
}

std::string processor_model() {
    std::ifstream in("/proc/cpuinfo");
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("model name") || line.starts_with("CPU part")) {
            return line.substr(line.find(':') + 2);
        }
    }
    return "unknown";
}

std::string compiler() {
#if defined(__clang__)
    return fmt::format("Clang {}", __clang_version__);
#else
    return fmt::format("GCC {}", __VERSION__);
#endif
}

bool lies_under(const std::filesystem::path& path, const std::filesystem::path& mount) {
    const auto [stop, ignored] =
        std::mismatch(mount.begin(), mount.end(), path.begin(), path.end());
    return stop == mount.end();
}

// The mount of a directory: type, device and options, as the kernel lists them.
std::string file_system_of(const std::filesystem::path& directory) {
    const auto path = std::filesystem::weakly_canonical(directory);
    std::ifstream in("/proc/self/mounts");
    std::string best;
    std::string description = "unknown";
    for (std::string line; std::getline(in, line);) {
        std::istringstream fields(line);
        std::string device;
        std::string mount;
        std::string type;
        std::string flags;
        fields >> device >> mount >> type >> flags;
        if (mount.size() >= best.size() && lies_under(path, mount)) {
            best = mount;
            description = fmt::format("{} on {} ({})", type, device, flags);
        }
    }
    return description;
}

nlohmann::ordered_json versions() {
    nlohmann::ordered_json made;
    made["pawl"] = pawl::version();
    made["xxhash"] = fmt::format("{}.{}.{}, vector unit {}", XXH_VERSION_MAJOR, XXH_VERSION_MINOR,
                                 XXH_VERSION_RELEASE, XXH_VECTOR);
#if PAWL_BENCH_PEERS
    made["rocksdb"] = fmt::format("{}.{}.{}", ROCKSDB_MAJOR, ROCKSDB_MINOR, ROCKSDB_PATCH);
    made["lmdb"] = mdb_version(nullptr, nullptr, nullptr);
    made["sqlite"] = sqlite3_libversion();
#endif
    return made;
}

}  // namespace

cpu_time read_cpu_time() {
    std::istringstream fields(first_line("/proc/stat"));
    std::string name;
    fields >> name;
    cpu_time made;
    std::uint64_t value = 0;
    // user, nice, system, idle, iowait, irq, softirq, steal; user and nice already include the two
    // that follow.
    for (int field = 0; field < 8 && fields >> value; ++field) {
        made.total += value;
        if (field == 7) {
            made.steal = value;
        }
    }
    return made;
}

nlohmann::ordered_json describe_machine(const options& asked, const cpu_time& before) {
    utsname kernel{};
    uname(&kernel);
    struct sysinfo memory{};
    sysinfo(&memory);
    const auto now = read_cpu_time();
    const auto spent = std::max<std::uint64_t>(now.total - before.total, 1);

    nlohmann::ordered_json made;
    made["processor"] = processor_model();
    made["cores"] = allowed_cores().size();
    made["memory_bytes"] = std::uint64_t{memory.totalram} * memory.mem_unit;
    made["page_bytes"] = sysconf(_SC_PAGESIZE);
    made["kernel"] = fmt::format("{} {} {}", kernel.sysname, kernel.release, kernel.machine);
    made["clock_source"] =
        first_line("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    made["ticks_per_ns"] = tick_scale::get().ticks_per_ns();
    made["huge_pages"] = first_line("/sys/kernel/mm/transparent_hugepage/enabled");
    made["governor"] = first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    made["load_average"] = first_line("/proc/loadavg");
    made["steal_share"] =
        static_cast<double>(now.steal - before.steal) / static_cast<double>(spent);
    made["compiler"] = compiler();
    made["flags"] = PAWL_BENCH_FLAGS;
    made["versions"] = versions();
    made["file_system"] = file_system_of(asked.directory);
    made["finished"] = fmt::format(
        "{:%Y-%m-%dT%H:%M:%SZ}",
        fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));

    auto& options = made["options"];
    options["quick"] = asked.quick;
    options["dir"] = asked.directory.string();
    options["cores"] = asked.cores;
    options["payloads"] = asked.payload_sizes();
    options["rates"] = asked.rates();
    options["like"] = asked.like.string();
    options["rounds"] = asked.many_rounds();
    options["rounds_on_disk"] = asked.few_rounds();
    options["only"] = asked.only;
    return made;
}

}  // namespace bench
