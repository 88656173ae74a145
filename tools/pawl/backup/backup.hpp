// A copy of a journal's files that is consistent up to the durable watermark, beside a writer.
//
// OUT/current is a whole journal directory: the sealed segments as they are, and the segments after
// them up to the last durable event, as if the power had failed then. Each backup builds OUT/next,
// with hard links to what OUT/current has already, and puts it in its place in one step. A backup
// that is killed leaves OUT/current as it was. (Where the file system cannot exchange directories
// it takes two steps; between them OUT/previous is the last backup, and the next one puts it back.)
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

namespace pawl::cli {

inline constexpr std::string_view current_backup = "current";

struct backup_report {
    sequence_number first_sequence = 0;  // more than 0 if events were pruned
    sequence_number next_sequence = 0;   // the durable watermark that it reaches
    std::uint64_t copied_segments = 0;
    std::uint64_t copied_bytes = 0;
    std::uint64_t kept_segments = 0;  // which the last backup had already
    std::uint64_t digest = 0;         // of the events in what was copied now
    std::uint64_t consumers = 0;
    std::vector<error> unreadable_consumers;  // which are not in the backup
};

// Fails with diverged if OUT/current is a backup of another journal, or of another history of this
// one, and with damaged if a segment cannot be read or its copy does not hold the same events.
// Fails with io while another backup is written to OUT, or one is restored from it.
[[nodiscard]] result<backup_report> backup(
    const std::filesystem::path& from, const std::filesystem::path& out,
    const std::function<void(std::uint64_t, std::uint64_t)>& progress);

struct restore_report {
    sequence_number first_sequence = 0;
    sequence_number next_sequence = 0;
    journal_id id{};
};

// Puts what OUT/current holds into a directory that does not exist or is empty, after every byte of
// the copy was verified. Killed, it leaves that directory as it was. If something comes to be in it
// meanwhile, that stays, and the restore fails.
[[nodiscard]] result<restore_report> restore(
    const std::filesystem::path& out, const std::filesystem::path& to,
    const std::function<void(std::uint64_t, std::uint64_t)>& progress);

}  // namespace pawl::cli
