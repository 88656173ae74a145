// A cursor's position and how it advances.
#pragma once

#include "format/frame_check.hpp"
#include "read/durable_evidence.hpp"
#include "read/part_route.hpp"
#include "read/records_between.hpp"
#include "read/segment_links.hpp"
#include "read/segment_window.hpp"
#include "recovery/log_survey.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/event.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pawl::detail {

class cursor_state {
  public:
    cursor_state(std::filesystem::path directory, const journal_identity& identity,
                 cursor_options options)
        : directory_{std::move(directory)},
          identity_{identity},
          id_{identity.id},
          options_{options},
          window_{options.keep_cached ? file::cached::stays : file::cached::goes},
          records_{options.names},
          durable_{directory_handle{directory_}, identity.id} {}

    // Goes to the place that the options name.
    [[nodiscard]] result<void> seek();
    // Whether the log was pruned since seek() began.
    [[nodiscard]] bool beginning_moved() const;

    // May throw std::bad_alloc when it judges the end of the journal, like the functions below.
    [[nodiscard]] const event* next();
    void fail_for_want_of_memory() noexcept { failure_ = error{.code = errc::out_of_memory}; }
    [[nodiscard]] result<bool> wait(std::chrono::nanoseconds timeout);
    [[nodiscard]] result<end_of_journal> finish();

    [[nodiscard]] sequence_number next_sequence() const noexcept { return sequence_; }
    [[nodiscard]] log_point point() const noexcept { return point_; }
    [[nodiscard]] const journal_identity& identity() const noexcept { return identity_; }
    [[nodiscard]] std::span<const recorded_name> names_before() const noexcept {
        return records_.names();
    }
    [[nodiscard]] std::span<const recorded_description> descriptions_before() const noexcept {
        return records_.descriptions();
    }

  private:
    enum class step : std::uint8_t { event, again, nothing };

    // cursor_state.cpp: going forward.

    [[nodiscard]] bool take_plain() noexcept;
    [[nodiscard]] const event* next_of_any_kind();
    [[nodiscard]] const event* look_for_next();
    void note_kind_of_reading() noexcept;
    [[nodiscard]] result<bool> wait_for_event(std::chrono::nanoseconds timeout);
    // Goes to the next wanted event. step::again if the deadline came first.
    [[nodiscard]] step advance_until(std::chrono::steady_clock::time_point deadline);
    // Handles one frame: yields its event, passes over it, or reports that there is nothing to
    // read.
    [[nodiscard]] step advance();
    [[nodiscard]] step leave_segment();
    [[nodiscard]] bool check_ahead(commit_word word);
    // Whether a page of the segment was lost; if so, sets the failure, and reading ends.
    [[nodiscard]] bool lost_a_page();
    [[nodiscard]] frame_fault check_whole(commit_word word) noexcept;
    // Makes more of a sealed segment readable from here on, and in the end all of it. False if
    // reading failed.
    [[nodiscard]] bool widen();
    [[nodiscard]] bool view_event(std::uint64_t offset, commit_word word);
    // Whether the filter admits the event in view.
    [[nodiscard]] bool is_admitted() const noexcept {
        return !options_.filter || options_.filter->admits(event_);
    }
    void pass(commit_word word) noexcept;
    // Opens the segment after the one that was left; false if there is none yet.
    [[nodiscard]] result<bool> enter_successor();
    [[nodiscard]] result<bool> move_to_begin();
    enum class kind : std::uint8_t { sealed, growing };
    void adopt(read_segment segment, kind which) noexcept;
    [[nodiscard]] kind kind_of(const read_segment& segment);
    void note_end(commit_word word) noexcept;
    [[nodiscard]] error here(errc code, std::string detail) const;

    [[nodiscard]] bool is_durable(sequence_number sequence);

    // cursor_seek.cpp: finding a place.

    [[nodiscard]] result<void> seek_first();
    // Where the log begins, as it is now, and what a reader knows that has read nothing of it.
    [[nodiscard]] result<void> stand_at_beginning();
    // pruned if the log begins after this segment by now.
    [[nodiscard]] result<void> refuse_pruned(std::uint64_t ordinal) const;
    // pruned if the stream has events that are wanted and lie before the beginning of the log.
    [[nodiscard]] result<void> refuse_pruned_versions() const;
    [[nodiscard]] error pruned_version(stream_version version) const;
    [[nodiscard]] result<void> seek_end();
    [[nodiscard]] result<sequence_number> begin_of_time(std::uint64_t since_ns) const;
    [[nodiscard]] bool is_index_of_log(const index_header& index) const;
    [[nodiscard]] result<void> seek_time(std::uint64_t since_ns);
    [[nodiscard]] result<void> seek_sequence(sequence_number sequence);
    [[nodiscard]] result<void> seek_point(const from_point& from);
    [[nodiscard]] bool stands_behind(const from_point& from) const noexcept;
    // Enters the segment that holds the sequence, or the last one.
    [[nodiscard]] result<void> enter_holding(sequence_number sequence);
    [[nodiscard]] bool can_begin_at(const index_mark& mark) const noexcept;
    [[nodiscard]] result<void> walk_to(sequence_number sequence);
    [[nodiscard]] result<void> seek_position(const from_position& from);
    [[nodiscard]] result<void> walk_to_position(sequence_number sequence, log_position position);
    [[nodiscard]] result<void> start_at_mark(sequence_number sequence);

    // cursor_part.cpp: one stream or tag.

    [[nodiscard]] bool reads_part() const noexcept {
        return options_.stream != no_stream_id || options_.tag != 0;
    }

    [[nodiscard]] result<void> seek_version(stream_version version);
    // Finds the segments that hold wanted events, from the current one on, and goes to the first.
    [[nodiscard]] result<void> follow_part();
    // Prepares to read the wanted events of the current segment, if it is sealed.
    [[nodiscard]] result<void> plan_links();
    // Opens a segment of the route that is not the next one.
    [[nodiscard]] result<void> enter_stop(std::uint64_t ordinal);
    [[nodiscard]] step advance_linked();
    // Passes the event in view, and yields it if the reader wants it.
    [[nodiscard]] step take_part(commit_word word);
    // Yields an event of the stream if it has the version that must follow. If the indexes led past
    // others, goes back and reads on without indexes.
    [[nodiscard]] step check_version();
    void note_place() noexcept { sure_ = {ordinal_, offset_, sequence_}; }
    [[nodiscard]] step read_without_indexes();

    // cursor_judge.cpp: what lies at the end.

    // Whether the files still agree with what the cursor has read: the file that it waits in may
    // have been replaced, and a recovery may have cut the log below its position.
    [[nodiscard]] result<void> revalidate();
    [[nodiscard]] result<void> reopen_if_replaced();
    [[nodiscard]] result<end_of_journal> judge_end();
    [[nodiscard]] result<end_of_journal> judge_missing(end_of_journal seen);
    [[nodiscard]] result<end_of_journal> judge_hole(frame_fault fault);
    [[nodiscard]] bool hole_remains() const;
    [[nodiscard]] std::string_view proof_beyond() const;
    [[nodiscard]] result<void> check_identity() const;
    // Another file holds the same segment: continues in it at the same place.
    void go_on_in(read_segment segment) noexcept;

    std::filesystem::path directory_;
    journal_identity identity_;
    journal_id id_;
    cursor_options options_;

    std::optional<read_segment> segment_;
    frame_space space_{};  // of the mapping, or of the window while it is used
    segment_window window_;
    bool windowed_ = false;
    std::uint32_t faults_seen_ =
        0;  // count of lost pages in the process when this segment was last found whole
    std::uint64_t ordinal_ = 0;
    bool plain_ =
        false;  // every event is wanted and nothing else is pending: take_plain() may be used
    std::uint64_t offset_ = first_frame_offset;
    std::uint64_t verified_to_ = 0;  // a batch was checked up to here
    sequence_number sequence_ = 0;
    log_point point_{};
    event event_;
    records_between records_;
    // When wait() first found nothing after the last event.
    std::optional<std::chrono::steady_clock::time_point> idle_since_;
    bool pending_ = false;          // wait() found an event that next() has not returned yet
    bool placed_ = false;           // seeking is over: the stream and visibility options apply
    bool looks_for_place_ = false;  // on behalf of another cursor

    durable_evidence durable_;
    log_begin begin_{};
    segment_end before_{};  // the end of the segment before the current one
    // Set while the cursor stands after a segment's end frame and the successor is not open yet.
    std::optional<segment_end> left_;

    // Reading one stream or tag: the segments to visit, how far we are, and the events in a
    // segment.
    part_route route_{};
    segment_links links_;
    std::size_t next_stop_ = 0;
    stream_version first_version_ = 0;  // of the events that are wanted
    // The version that the stream's next event must have; 0 if the previous one is not known.
    stream_version next_version_ = 0;
    bool believes_indexes_ = true;
    // No event that is still wanted lies before it.
    struct place {
        std::uint64_t ordinal;
        std::uint64_t offset;
        sequence_number sequence;
    };
    std::optional<place> sure_;

    std::optional<error> failure_;
    frame_fault fault_ = frame_fault::none;  // of the frame at offset_, which stopped the cursor
    std::optional<end_of_journal> judged_;   // the verdict at this place, if it was judged
};

}  // namespace pawl::detail
