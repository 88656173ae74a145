// Follows the streams of a log from segment to segment, and compares the stream heads with
// them.
#pragma once

#include "format/frame_check.hpp"
#include "store/head_slots.hpp"
#include "store/heads_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/detail/frame.hpp>
#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace pawl::detail {

// The first fault, and how many more there are.
struct stream_fault {
    std::uint64_t offset = 0;  // in the segment, or in the file of heads
    sequence_number sequence = 0;
    std::string detail{};
    std::uint64_t more = 0;

    [[nodiscard]] std::string text() const;
};

// Given the frames of a log in order, it tracks the head of every stream and tag and every name.
// Its memory is proportional to their number.
class stream_audit {
  public:
    [[nodiscard]] static result<stream_audit> start();

    // The file of heads, to be compared when the log reaches the place up to which the heads are
    // current.
    void judge_at_its_place(stream_heads file) { file_ = std::move(file); }

    // Checks an index's links: from its streams to the previous segments that hold them, and to the
    // previous segment that holds a command. Called before its segment is added.
    [[nodiscard]] std::optional<stream_fault> check_links(const segment_index& index) const;

    // The segment that was added last holds these commands.
    void note_commands(bool any) {
        if (any)
            last_commands_ = ordinal_;
    }

    void begin_segment(std::uint64_t ordinal);
    // A valid frame of that segment, except its end frame.
    void add(const frame_space& space, std::uint64_t offset, commit_word word);
    // Frames are missing here: a stream may continue with any version, and names are no longer
    // known.
    void lose_track();
    // What lies before this segment was pruned, and `retained` holds these heads and names there;
    // null if that cannot be read, and then streams start over as in lose_track(). Heads of an
    // earlier place are not judged.
    void begin_at(std::uint64_t ordinal, stream_heads* retained);
    // The rest of this segment is missing: heads as of its end are not compared.
    void lose_segment(std::uint64_t ordinal);
    // The segment ended like this. Returns how the heads differ from the log, if they are as of
    // this place.
    [[nodiscard]] std::optional<stream_fault> end_segment(std::uint64_t epoch,
                                                          sequence_number end_sequence);
    // The log ended. A fault if the heads are as of a place that was not in it.
    [[nodiscard]] std::optional<stream_fault> finish();

    // The frames of this segment that do not continue their stream. Each break is reported once:
    // the stream continues from there.
    [[nodiscard]] const std::optional<stream_fault>& fault() const noexcept { return fault_; }
    [[nodiscard]] bool out_of_memory() const noexcept { return out_of_memory_; }
    [[nodiscard]] std::uint64_t streams() const noexcept { return heads_.used(); }

  private:
    void add_name(const std::byte* frame, std::uint64_t offset, commit_word word);
    void add_tags(const std::byte* frame, std::uint64_t offset, commit_word word);
    [[nodiscard]] std::optional<stream_fault> compare(const stream_heads& file) const;
    // A table of the file, at this offset, and what it should be.
    struct compared_table {
        const head_slots& claimed;
        const head_slots& actual;
        std::uint64_t offset = 0;
        bool of_tags = false;
    };
    void compare_table(const compared_table& tables, sequence_number end_sequence,
                       std::optional<stream_fault>& found) const;
    [[nodiscard]] std::string wrong_with(const stream_head& claimed,
                                         const compared_table& tables) const;
    void compare_names(const stream_heads& file, std::optional<stream_fault>& found) const;

    std::optional<stream_heads> file_;  // until it is judged
    head_slots heads_;
    head_slots tags_;
    name_map names_;
    std::uint64_t named_ = 0;  // stream numbers assigned to names
    bool complete_ = true;     // nothing was missing since the first segment
    std::uint64_t ordinal_ = 0;
    std::optional<std::uint64_t> first_ordinal_;  // of the log
    std::optional<std::uint64_t> last_commands_;  // the last segment that holds a command
    std::optional<stream_fault> fault_;
    bool out_of_memory_ = false;
};

}  // namespace pawl::detail
