// The streams of a log followed from segment to segment, and what the file of stream heads says of
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

// The first thing that does not fit, and how many more there are.
struct stream_fault {
    std::uint64_t offset = 0;  // in the segment, or in the file of heads
    sequence_number sequence = 0;
    std::string detail{};
    std::uint64_t more = 0;

    [[nodiscard]] std::string text() const;
};

// Given the frames of a log in order it knows the head of every stream and every name, and so takes
// memory for each of them and for nothing else.
class stream_audit {
  public:
    [[nodiscard]] static result<stream_audit> start();

    // The file of heads, to be judged at the place it stands for.
    void judge_at_its_place(stream_heads file) { file_ = std::move(file); }

    // How an index leads from its streams to the segment before that holds them; asked before its
    // segment is added.
    [[nodiscard]] std::optional<stream_fault> check_links(const segment_index& index) const;

    void begin_segment(std::uint64_t ordinal);
    // A frame of that segment, whole, but not its end.
    void add(const frame_space& space, std::uint64_t offset, commit_word word);
    // Frames are missing here: a stream may go on with any version, and names are not known any
    // more.
    void lose_track();
    // The rest of this segment is missing: heads that stand for its end are not judged.
    void lose_segment(std::uint64_t ordinal);
    // The segment ended so; how the heads differ from the log, where they stand for this place.
    [[nodiscard]] std::optional<stream_fault> end_segment(std::uint64_t epoch,
                                                          sequence_number end_sequence);
    // The log ended: a fault where the heads stand for a place that was not in it.
    [[nodiscard]] std::optional<stream_fault> finish();

    // The frames of this segment that do not go on where their stream stood. Each is named once:
    // the stream goes on from there.
    [[nodiscard]] const std::optional<stream_fault>& fault() const noexcept { return fault_; }
    [[nodiscard]] bool out_of_memory() const noexcept { return out_of_memory_; }
    [[nodiscard]] std::uint64_t streams() const noexcept { return heads_.used(); }

  private:
    void add_name(const std::byte* frame, std::uint64_t offset, commit_word word);
    [[nodiscard]] bool make_room();
    [[nodiscard]] std::optional<stream_fault> compare(const stream_heads& file) const;
    [[nodiscard]] std::string wrong_with(const stream_head& claimed,
                                         const stream_heads& file) const;
    void compare_names(const stream_heads& file, std::optional<stream_fault>& found) const;

    std::optional<stream_heads> file_;  // until it is judged
    head_slots heads_;
    name_map names_;
    std::uint64_t named_ = 0;  // numbers handed out
    bool complete_ = true;     // nothing was missing since the first segment
    std::uint64_t ordinal_ = 0;
    std::optional<stream_fault> fault_;
    bool out_of_memory_ = false;
};

}  // namespace pawl::detail
