// Reads a journal from its beginning to its end for verify().
#pragma once

#include "audit/stream_audit.hpp"
#include "audit/tail_verdict.hpp"
#include "format/segment_walk.hpp"
#include "store/log_begin.hpp"
#include "store/retained.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/journal.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace pawl::detail {

class verifier {
  public:
    verifier(const std::filesystem::path& directory, const verify_options& options)
        : directory_{directory}, options_{options} {}

    [[nodiscard]] result<verify_report> run();

  private:
    void find(error what, bool damage = true);
    // The bytes could not be read, so they are not known to be wrong.
    [[nodiscard]] static bool is_unreadable(errc code) noexcept;
    [[nodiscard]] error at(std::uint64_t ordinal, std::uint64_t offset, errc code,
                           std::string detail) const;

    void note_network_file_system();

    // Where the log begins now. What was pruned is known from `retained` alone: streams and names
    // of the log start over. Does nothing if reading has passed that place.
    [[nodiscard]] result<void> begin_where_the_log_does();

    // One copy that is not whole is no damage to the log, but leaves it without a second.
    void check_retained();
    void show_retained(const retained_log& kept);
    void audit_from(const retained_log& kept);

    void check_control();

    void check_heads();

    void find_in_heads(const std::optional<stream_fault>& fault);

    // Reports breaks in the streams' versions, unless the index builder has already reported the
    // same frame.
    void check_versions(std::uint64_t ordinal, const error* found_already);

    [[nodiscard]] result<verify_report> finish_streams();

    // Passes a valid frame to the caller's visitors, and counts a name towards the next event's
    // digest.
    void show(const frame_space& space, std::uint64_t ordinal, std::uint64_t offset,
              commit_word word);

    void show_record(const std::byte* frame, commit_word word);
    [[nodiscard]] bool shows_anything() const noexcept;

    [[nodiscard]] walk_end walk(std::uint64_t ordinal, const frame_space& space,
                                const walk_start& from);

    // A writer may create, remove and replace segments meanwhile. If the segments turn out not to
    // be those that were listed, they are listed again, and reading continues from there.
    [[nodiscard]] result<void> check_segments(std::uint64_t segment_bytes);

    void note_gap(std::uint64_t ordinal);

    // A segment that the listing lacks may exist nevertheless: a listing is not a snapshot of one
    // moment.
    [[nodiscard]] bool gap_was_filled();

    // The segment is not the one that the listing had.
    void list_again_from(std::uint64_t ordinal);

    // A close removes a segment that was only prepared, and the next writer creates another one
    // under its name, which may be sealed by the time its index is read.
    [[nodiscard]] bool was_replaced(std::uint64_t ordinal, std::uint64_t epoch) const;

    void go_back_to_gap();

    void check_segment(std::uint64_t ordinal);

    // Reads what there is of a segment whose file ends too early.
    void read_shortened(std::uint64_t ordinal);

    // The events that a walk has read can be read.
    void note_run(const walk_end& walked);

    // Reads on after damage, from each place where whole frames begin again. Another hole that is
    // followed by frames, or in a sealed segment, is another finding.
    void read_past(std::uint64_t ordinal, const read_segment& segment, walk_end hole, bool sealed);

    // A segment that could not be read as a whole ended as its index says, or else where reading it
    // ended.
    void end_as(std::uint64_t ordinal, const std::optional<segment_index>& index);

    void report_gap();

    void check_header_padding(std::uint64_t ordinal, const frame_space& space);

    [[nodiscard]] std::optional<segment_index> index_of(std::uint64_t ordinal, std::uint64_t epoch,
                                                        result<segment_index> index);

    void find_in_index(std::uint64_t ordinal, std::string detail);

    void check_frames(std::uint64_t ordinal, const read_segment& segment, const data_ranges& data,
                      const std::optional<segment_index>& index);

    // Which sequence a segment begins with, if its predecessor could not be read.
    void find_first_sequence(const frame_space& space, const std::optional<segment_index>& index);

    // Walks to the end of the segment, or to a hole that no writer has filled meanwhile.
    [[nodiscard]] walk_end walk_to_end(std::uint64_t ordinal, const read_segment& segment,
                                       bool sealed);

    // Ignores the links to earlier segments, which one segment cannot determine, except that a
    // stream that begins here must have none.
    [[nodiscard]] static bool same(segment_index built, const segment_index& read);

    void check_links(std::uint64_t ordinal, const std::optional<segment_index>& index);

    void note_hole(std::uint64_t ordinal, const walk_end& end,
                   const std::optional<segment_index>& index);

    void lose_track();

    void lose_segment(std::uint64_t ordinal);

    void judge_end(bool any);

    std::filesystem::path directory_;
    verify_options options_;
    journal_id id_{};
    verify_report report_;
    std::optional<stream_audit> streams_;  // with verify_options::deep
    sequence_number stored_watermark_ = 0;
    log_begin begin_{};
    std::uint64_t expected_ordinal_ = 0;
    segment_end before_{};
    sequence_number sequence_ = 0;
    std::uint64_t names_digest_ = 0;  // of the names after the last event
    bool sequence_known_ = true;
    bool seen_first_ = false;
    bool torn_ = false;
    tail_verdict tail_;
    // Segments that the list lacks, and where the chain stood before them.
    struct gap {
        std::uint64_t first = 0;
        std::uint64_t next = 0;  // the first one after them
        segment_end before{};
        sequence_number sequence = 0;
        bool sequence_known = true;
    };
    std::optional<gap> gap_;
    std::optional<std::uint64_t> again_from_;  // the segments are not those that were listed
};

}  // namespace pawl::detail
