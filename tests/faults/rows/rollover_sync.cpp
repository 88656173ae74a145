// Row 1: a sync that meets the appending thread anywhere inside a rollover acknowledges nothing
// that no sync covered, and does not poison the writer. The two threads are one here, moved step by
// step, so that each meeting happens and none depends on timing.
#include "support/row_program.hpp"
#include "support/stepped_writer.hpp"

#include <fmt/core.h>

#include <array>
#include <filesystem>
#include <string>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

// Where in the rollover the sync comes.
enum class meeting : std::uint8_t { before_link, linked, entered, appended };
constexpr std::array<std::string_view, 4> meeting_names{"before the link", "after the link",
                                                        "after entering", "after an append"};
constexpr std::uint64_t frame_bytes = 80;

struct trial {
    std::uint64_t rolled_at = 0;
    meeting when{};
    bool append_during_sync = false;  // the next frame arrives while the sync is under way
};

[[nodiscard]] std::string fault_of(const fs::path& directory, const trial& plan) {
    fs::create_directories(directory);
    auto started = stepped_writer::start(directory, plan.rolled_at);
    if (!started)
        return started.error().message();
    stepped_writer& log = **started;
    const auto frames = [](std::uint64_t count) {
        return detail::first_frame_offset + count * frame_bytes;
    };
    log.fill_first_segment();
    if (plan.when > meeting::before_link)
        log.link();
    if (plan.when > meeting::linked)
        log.enter();
    if (plan.when > meeting::entered)
        log.append(1, frames(1));
    if (plan.append_during_sync && plan.when > meeting::before_link)
        log.during_sync = [&] { log.append(1, frames(2)); };
    if (const auto synced = log.sync(); !synced)
        return "a sync fails: " + synced.error().message();
    log.during_sync = nullptr;
    if (plan.when <= meeting::before_link)
        log.link();
    if (plan.when <= meeting::linked)
        log.enter();
    constexpr std::uint64_t events = 20;
    log.append(events, frames(events));
    log.forget_covered();
    const auto synced = log.sync();
    if (!synced)
        return "the next sync fails: " + synced.error().message();
    if (log.log().failure())
        return "the writer is poisoned: " + log.log().failure()->message();
    if (log.covered() < frames(events))
        return fmt::format(
            "events up to byte {} are acknowledged, but the syncs covered the segment only up to "
            "{}",
            frames(events), log.covered());
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 1, .name = "rollover_sync", .counted = "meetings"}, argc, argv};
    (void)program.target({.quick = 40, .ci = 400, .full = 4000});
    const std::uint64_t only = program.option("--meeting", 0);
    for (std::uint64_t number = only == 0 ? 0 : only - 1; program.goes_on(); ++number) {
        // From a segment that holds little to one that is full.
        constexpr std::uint64_t most =
            detail::min_segment_bytes - detail::first_frame_offset - detail::end_frame_bytes;
        const std::uint64_t filled = (number / 8 * 7919 + 101) * frame_bytes % most;
        const trial plan{.rolled_at = detail::first_frame_offset + filled / 8 * 8,
                         .when = static_cast<meeting>(number % 4),
                         .append_during_sync = number / 4 % 2 != 0};
        const auto directory = program.directory() / "j";
        fs::remove_all(directory);
        const std::string wrong = fault_of(directory, plan);
        program.count();
        if (!wrong.empty())
            program.failure(fmt::format("--meeting {} --count 1", number + 1),
                            fmt::format("a sync {} at byte {}: {}",
                                        meeting_names[static_cast<std::size_t>(plan.when)],
                                        plan.rolled_at, wrong));
    }
    program.detail(fmt::format("{} meetings of a sync with a rollover", program.reached()));
    return program.finish();
}
