// The events of one stream or tag in one sealed segment, where its index says they are.
#pragma once

#include "format/frame_check.hpp"
#include "format/index_layout.hpp"
#include "recovery/log_survey.hpp"
#include "store/index_file.hpp"

#include <pawl/journal/types.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace pawl::detail {

class segment_links {
  public:
    // While they are active, a cursor goes from one to the next and reads nothing in between.
    [[nodiscard]] bool active() const noexcept { return active_; }
    void leave() noexcept { active_ = false; }

    // Looks the stream's events from a version on up in the index of the segment. False if the
    // index cannot be read, or if a frame is not what it says.
    [[nodiscard]] bool find_stream(index_file& index, const frame_space& space, stream_id stream,
                                   stream_version from);
    // The same of the events that name a tag.
    [[nodiscard]] bool find_tag(index_file& index, const frame_space& space, tag_id tag);
    // Becomes active for a cursor that has passed what lies before `offset`. The segment ends so.
    void begin(const segment_end& end, std::uint64_t offset) noexcept;

    // Offset of the next event; nothing at the end of the segment.
    [[nodiscard]] std::optional<std::uint64_t> next() const noexcept {
        return next_ == offsets_.size() ? std::nullopt : std::optional{offsets_[next_]};
    }
    void pass() noexcept { ++next_; }
    [[nodiscard]] const segment_end& end() const noexcept { return end_; }

  private:
    bool active_ = false;
    std::vector<std::uint64_t> offsets_;
    std::size_t next_ = 0;
    segment_end end_{};
};

}  // namespace pawl::detail
