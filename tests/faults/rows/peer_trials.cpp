// Row 7, side by side: Pawl and the stores that this build has found are damaged in the same way,
// and each is asked for its events. A store may refuse, or may report that something is wrong; a
// log should neither end early nor return other bytes without an error. The peers' outcomes are
// reported, but not judged.
#include "measure/failure.hpp"
#include "rows/trials/damage.hpp"
#include "rows/trials/store.hpp"
#include "support/block_device.hpp"
#include "support/row_program.hpp"
#include "support/watched_child.hpp"

#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t events_in_all = 20'000;
constexpr std::chrono::seconds most_for_a_trial{30};

// What a child finds, on a page that outlives it.
struct seen {
    std::uint64_t there = 0;  // acknowledged
    std::uint64_t right = 0;  // read correctly, from the beginning on
    bool wrong = false;       // other bytes were returned
    bool told = false;
    std::array<char, 200> what{};

    void tell(const char* text) {
        told = true;
        std::strncpy(what.data(), text, what.size() - 1);
    }
};

class shared_seen {
  public:
    shared_seen()
        : at_{::mmap(nullptr, sizeof(seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                     0)} {
        if (at_ == MAP_FAILED)
            throw std::bad_alloc{};
        new (at_) seen{};
    }
    ~shared_seen() { ::munmap(at_, sizeof(seen)); }
    shared_seen(const shared_seen&) = delete;
    shared_seen& operator=(const shared_seen&) = delete;
    seen* operator->() const noexcept { return static_cast<seen*>(at_); }

  private:
    void* at_;
};

// Runs work in a child. Returns how the child died, else empty.
template <class Work>
[[nodiscard]] std::string in_child(const shared_seen& found, const Work& work) {
    const child_end end = run_watched(
        [&] {
            // Suppress the output and core dump of a dying store.
            ::prctl(PR_SET_DUMPABLE, 0);
            if (std::freopen("/dev/null", "w", stderr) == nullptr)
                return 3;
            try {
                work();
            } catch (const std::exception& failure) {
                found->tell(failure.what());
            }
            return 0;
        },
        most_for_a_trial);
    if (end.late)
        return "hangs";
    if (WIFSIGNALED(end.status))
        return fmt::format("killed by {}", sigabbrev_np(WTERMSIG(end.status)));
    return end.status == 0 ? std::string{} : "ended strangely";
}

[[nodiscard]] std::string read_back(const tried_store& store, const fs::path& directory,
                                    const shared_seen& found) {
    return in_child(found, [&] {
        store.read(directory, [&](std::span<const std::byte> payload) {
            const auto expected = tried_events().at(found->right);
            if (!std::ranges::equal(payload, expected))
                found->wrong = true;
            if (!found->wrong)
                ++found->right;
        });
    });
}

// One outcome: text for the table, and whether everything that went wrong was reported.
struct outcome {
    std::string words;
    bool honest = false;
};

[[nodiscard]] outcome judge(const seen& found, const std::string& died, std::uint64_t expected) {
    if (!died.empty())
        return {died, false};
    if (found.wrong) {
        return {fmt::format("wrong bytes after {} events{}", found.right,
                            found.told ? ", then an error" : ", no error"),
                false};
    }
    if (found.told)
        return {fmt::format("reported after {} right events: {}", found.right, found.what.data()),
                true};
    if (found.right < expected)
        return {fmt::format("ended without an error after {} of {}", found.right, expected), false};
    return {"all events, all correct", true};
}

[[nodiscard]] outcome try_damage(const tried_store& store, const fs::path& directory, damage what) {
    fs::remove_all(directory);
    const shared_seen found;
    if (auto died = in_child(found, [&] { store.write(directory, events_in_all, found->there); });
        !died.empty() || found->told)
        return {"could not be written: " + died + found->what.data(), false};
    const auto place = middle_record(directory);
    if (!place)
        return {"no payload was found in its files", false};
    hurt(*place, store.header_bytes, what);
    const auto died = read_back(store, directory, found);
    return judge(*found.operator->(), died, events_in_all);
}

// Appends until a file system of 16 MiB is full; then frees some space, and reads the events.
[[nodiscard]] outcome try_full_disk(const tried_store& store, const fs::path& mounted) {
    fs::create_directory(mounted);
    if (::mount("tmpfs", mounted.c_str(), "tmpfs", 0, "size=16m") != 0)
        return {"skipped: cannot mount tmpfs", true};
    const auto directory = mounted / "store";
    const shared_seen written;
    const auto died =
        in_child(written, [&] { store.write(directory, std::uint64_t{1} << 30, written->there); });
    (void)::mount("tmpfs", mounted.c_str(), "tmpfs", MS_REMOUNT, "size=256m");
    const shared_seen found;
    const auto died_reading = read_back(store, directory, found);
    outcome made = judge(*found.operator->(), died_reading, written->there);
    if (!died.empty()) {
        made = {fmt::format("{} when the disk was full; then: {}", died, made.words), false};
    } else {
        made.honest = made.honest && !found->told && written->told;
        made.words = fmt::format("append refused after {}; then: {}", written->there, made.words);
    }
    ::umount2(mounted.c_str(), MNT_DETACH);
    return made;
}

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 7, .name = "peer_trials", .counted = "trials"}, argc, argv};
    constexpr std::array damages{damage::none, damage::flipped_bit, damage::broken_header,
                                 damage::zeroed_page, damage::cut_file};
    const bool can_mount = ::geteuid() == 0 && own_mounts().empty();
    const std::uint64_t trials = damages.size() + (can_mount ? 1U : 0U);
    const auto stores = tried_stores();
    program.target({.quick = trials, .ci = trials, .full = trials});
    std::string line;
    for (const tried_store& store : stores) {
        const bool own = &store == &stores.front();
        std::uint64_t honest = 0;
        const auto note = [&](const std::string& what, const outcome& made) {
            fmt::print(stderr, "{:10} {:48} {}\n", store.name, what, made.words);
            honest += made.honest ? 1U : 0U;
            if (!own)
                return;
            program.count();
            if (!made.honest)
                program.failure("", what + ": " + made.words);
        };
        for (const damage what : damages)
            note(to_string(what), try_damage(store, program.directory() / "store", what));
        if (can_mount)
            note("a full disk", try_full_disk(store, program.directory() / "small"));
        line += fmt::format("{}{} {}", line.empty() ? "" : ", ", store.name, honest);
    }
    program.detail(fmt::format(
        "of {} trials nothing was lost, changed or killed without an error: {}", trials, line));
    return program.finish();
}
