// What a reader knows of which events are on stable storage.
#pragma once

#include "format/frame_check.hpp"
#include "os/directory_handle.hpp"
#include "store/control.hpp"

#include <pawl/journal/types.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace pawl::detail {

// The writer says so in the control file. Without one, the log itself proves it, only later: by an
// index, by a frame's witness, and by the end frames that are stored only after everything before
// them is synced.
class durable_evidence {
  public:
    durable_evidence(directory_handle directory, const journal_id& id)
        : directory_{std::move(directory)}, id_{id} {}

    [[nodiscard]] bool covers(sequence_number sequence) const noexcept { return sequence < seen_; }
    // All events below this sequence are durable.
    void note(sequence_number below) noexcept { seen_ = std::max(seen_, below); }

    // The control file as it was found last; null if there was none.
    [[nodiscard]] const control_view* control() const noexcept {
        return control_ ? &*control_ : nullptr;
    }
    // Maps the control file again if another file has its name.
    void refresh();
    // Reads the control file's watermarks, and refreshes it now and then. False if there is none
    // and the log has not been asked for a while.
    [[nodiscard]] bool ask_control();

    // Walks through the growing segment from a reader's place on, and from then on from where the
    // last walk ended.
    void ask_log(const frame_space& space, std::uint64_t offset, sequence_number sequence) noexcept;
    // The reader has entered another segment.
    void enter_segment() noexcept { walked_to_ = 0; }

  private:
    directory_handle directory_;
    journal_id id_;
    sequence_number seen_ = 0;
    std::optional<control_view> control_;
    std::chrono::steady_clock::time_point look_{};  // not before this time
    std::chrono::steady_clock::time_point map_{};   // nor map it again, while it has its name
    // Frames of the segment before this offset have been searched for proof of what is durable.
    std::uint64_t walked_to_ = 0;
    sequence_number walked_sequence_ = 0;
};

}  // namespace pawl::detail
