// Bugs put in on purpose, to show that the fault tests would find them.
//
// Only a build with PAWL_PLANTED_BUGS holds any of them, and one at a time is awake there, named by
// the environment variable PAWL_PLANTED_BUG. Everywhere else planted() is a constant.
#pragma once

#include <cstdint>

namespace pawl::detail {

enum class bug : std::uint8_t {
    none,
    no_sync,               // sync() acknowledges without having synced
    half_sync,             // only the first page of what was published is synced
    early_watermark,       // events count as durable before the sync has returned
    retry_failed_sync,     // a failed sync is tried again and believed
    ignore_poison,         // a failed sync does not end the acknowledging
    watermark_too_high,    // the control file's watermark is one more than what was synced
    index_before_sync,     // a segment is sealed that was not synced
    no_epoch,              // frames are not tied to their segment's life
    short_hash,            // the hash leaves out the last word of a frame
    no_padding_hash,       // the hash leaves out the padding
    no_commit_in_hash,     // the hash leaves out the commit word
    hash_not_checked,      // a frame is believed whatever its hash
    batch_not_checked,     // a batch is believed with its first frame
    witness_always_zero,   // frames claim that everything before them is durable
    witness_never,         // frames claim that nothing before them is durable
    no_witness_search,     // what lies behind a hole proves nothing
    no_clear_word,         // the word behind a frame is not cleared over scribbles
    no_scribble_zeroing,   // scribbles stay behind an end frame
    stale_version,         // an append does not move its stream's version
    no_directory_sync,     // a new segment's name is not synced
    no_segment_sync,       // a new segment's header is not synced
    no_temporary,          // a new segment is built under the name it will have
    no_replace_sync,       // a small file is renamed into place before it is synced
    no_store_again,        // a recovery trusts the page cache
    no_end_store_again,    // a recovery stores everything again but the end frame
    cut_before_successor,  // a recovery ends a segment before the next one is there
    nothing_kept,          // a recovery does not keep what it overwrites
    early_commit,          // a frame is published before its hash is there
    no_lock,               // a writer does not ask for the lock
    cursor_skips,          // a cursor leaves an event out now and then
    index_not_checked,     // an index is believed whatever its checksum
    heads_not_checked,     // so is the file of stream heads
    unheeded_sync,         // a failing sync of a directory goes unnoticed
};

#ifdef PAWL_PLANTED_BUGS
[[nodiscard]] bool planted(bug which) noexcept;
#else
[[nodiscard]] constexpr bool planted(bug) noexcept {
    return false;
}
#endif

}  // namespace pawl::detail
