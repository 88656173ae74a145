// Brings a journal into a state in which a writer can continue it: cuts a torn tail, keeps what it
// cuts, and stores again what the page cache may hold but the disk may not.
#pragma once

#include "format/directory_layout.hpp"
#include "os/directory_handle.hpp"
#include "recovery/log_survey.hpp"
#include "store/segment_file.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/options.hpp>
#include <pawl/journal/recovery_report.hpp>

#include <cstdint>
#include <filesystem>
#include <variant>
#include <vector>

namespace pawl::detail {

struct recovery_request {
    directory_handle directory;
    identity journal{};
    verify_at_open verify = verify_at_open::unsealed;
    bool dry_run = false;
    bool lock_held = false;  // by the caller, so the survey need not look for a writer
    std::uint64_t allocate_bytes = no_value;  // segment_request::allocate_bytes
};

// The segment that the writer has to create: its ordinal, and what it must name as its predecessor.
struct wanted_segment {
    std::uint64_t ordinal = 0;
    predecessor before{};
};

struct recovered_log {
    recovery_report report;
    // The journal was closed cleanly, and nothing derived from it is missing or left over.
    bool at_rest = false;
    // Where the writer continues: nowhere after a dry run, in a segment that it has to create, or
    // in the empty one that the recovery created.
    std::variant<std::monostate, wanted_segment, writable_segment> next;
    // Complete segments without an index, ascending.
    std::vector<std::uint64_t> to_seal;
};

// The caller holds the lock, except for a dry run without `lock_held`, which fails with locked
// while a writer holds it. Errors as for survey_log, and io.
[[nodiscard]] result<recovered_log> recover_log(const recovery_request& request);

}  // namespace pawl::detail
