#include "certain_trials.hpp"

#include "recorded_history.hpp"
#include "scratch_files.hpp"
#include "support/process.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>

#include <vector>

namespace pawl::test {

namespace {

// `pawl recover` asks before it looks for a journal, which is not there.
[[nodiscard]] std::string refused_by_command(const std::filesystem::path& there) {
    std::vector<std::string> words{PAWL_TOOLS_DIR "/pawl", "recover", "--dry-run", there.string()};
    const auto refused = [](const finished_process& done) {
        return done.exit_code == 3 && done.err.find("is on FUSE") != std::string::npos;
    };
    if (const auto plain = test::run(words); !refused(plain))
        return "pawl recover on FUSE: " + plain.err;
    words.emplace_back("--allow-network-file-system");
    if (const auto allowed = test::run(words); refused(allowed) || allowed.exit_code == 2)
        return "pawl recover on FUSE, allowed: " + allowed.err;
    return {};
}

// Writes a file's pages without waiting for the file system's commit.
void write_back(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    constexpr auto all =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (descriptor < 0 || ::sync_file_range(descriptor, 0, 0, all) != 0)
        give_up(file);
    ::close(descriptor);
}

// Makes a file and syncs it.
[[nodiscard]] bool sync_of(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0)
        give_up(file);
    const bool synced = ::fsync(descriptor) == 0;
    ::close(descriptor);
    return synced;
}

}  // namespace

std::string refused_on_fuse(const std::filesystem::path& there) {
    const auto refused = [](const auto& opened) {
        return !opened && opened.error().code == errc::network_file_system;
    };
    if (!refused(writer::open(there)) || !refused(cursor::open(there)) ||
        !refused(recover(there, {.dry_run = true})))
        return "FUSE is not refused";
    if (refused(writer::open(there, {.allow_network_file_system = true})) ||
        refused(cursor::open(there, {.allow_network_file_system = true})) ||
        refused(recover(there, {.dry_run = true, .allow_network_file_system = true})))
        return "FUSE is refused although it is allowed";
    return refused_by_command(there);
}

std::string sync_after_another(const std::filesystem::path& journal, recorded_disk& disk) {
    auto opened = writer::open(journal, small_options(sync_policy::manual(), false));
    if (!opened)
        return "open fails with " + opened.error().message();
    if (!opened->append({.type = 1}, {}) || !opened->sync())
        return "a calm disk refuses a writer";
    const std::vector<std::byte> payload(disk_block_bytes);
    for (int i = 0; i < 4; ++i) {
        if (!opened->append({.type = 1}, payload))
            return "an append fails";
    }
    for (const auto& entry : std::filesystem::directory_iterator{journal}) {
        if (entry.path().extension() == ".seg")
            write_back(entry.path());
    }
    disk.refuse({.writes = true});
    if (sync_of(journal.parent_path() / "another"))
        return "the other file's sync succeeds, so the trial shows nothing";
    return opened->sync() ? "a sync succeeds although its commit failed for another file" : "";
}

}  // namespace pawl::test
