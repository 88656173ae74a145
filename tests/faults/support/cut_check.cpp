#include "cut_check.hpp"

#include "failure_text.hpp"
#include "recorded_history.hpp"
#include "sound_journal.hpp"

#include <fmt/core.h>

#include <pawl/journal/writer.hpp>

#include <utility>

namespace pawl::test {

namespace {

[[nodiscard]] std::string fault_of(sequence_number next, const cut_bounds& bounds) {
    if (next < bounds.needed)
        return fmt::format("lost: continues at {}, but {} were acknowledged as durable", next,
                           bounds.needed);
    if (next > bounds.possible)
        return fmt::format("phantom: continues at {}, but only {} were published", next,
                           bounds.possible);
    return {};
}

[[nodiscard]] std::string go_on_from(writer& log, const std::filesystem::path& directory,
                                     log_lives& lives) {
    lives.begin(log.next_sequence(), draw(lives.count(), log.next_sequence()));
    generated_log source = lives.source();
    constexpr int units = 3;
    for (int i = 0; i < units; ++i) {
        if (auto placed = source.append_unit(log); !placed)
            return "cannot be continued: " + failure_text(log, placed.error());
    }
    if (auto synced = log.sync(); !synced)
        return "cannot be synced: " + failure_text(log, synced.error());
    return lives.check(directory, log.next_sequence());
}

}  // namespace

cut_finding check_journal(const std::filesystem::path& directory, log_lives lives,
                          const cut_bounds& bounds, afterwards then) {
    cut_finding found;
    auto log = writer::open(directory, small_options(sync_policy::manual(), false));
    if (!log) {
        found.wrong = "refused: " + log.error().message();
        return found;
    }
    found.recovery = log->recovery();
    found.next = log->next_sequence();
    found.wrong = fault_of(found.next, bounds);
    if (found.wrong.empty())
        found.wrong = lives.check(directory, found.next);
    if (found.wrong.empty() && then == afterwards::go_on)
        found.wrong = go_on_from(*log, directory, lives);
    if (!found.wrong.empty() || then == afterwards::leave)
        return found;
    if (auto closed = log->close(); !closed)
        found.wrong = "cannot be closed: " + failure_text(*log, closed.error());
    else
        found.wrong = fault_of_files(directory, deep_every_tenth(found.next));
    return found;
}

cut_finding check_device(const std::string& device, const std::filesystem::path& mount_point,
                         file_system kind, const log_lives& lives, const cut_bounds& bounds,
                         afterwards then) {
    cut_finding found;
    mounted_file_system mounted;
    if (found.wrong = mounted.mount(device, mount_point, kind); !found.wrong.empty())
        return found;
    found = check_journal(mount_point / "journal", lives, bounds, then);
    if (auto wrong = mounted.unmount(); found.wrong.empty())
        found.wrong = std::move(wrong);
    return found;
}

}  // namespace pawl::test
