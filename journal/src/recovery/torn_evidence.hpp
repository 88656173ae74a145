// What a recovery takes out of the log is kept in torn/: it may explain a crash, or help to prove
// that a file system lost data.
#pragma once

#include "os/directory_handle.hpp"
#include "store/segment_file.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/recovery_report.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace pawl::detail {

// Nothing that is kept is ever replaced. What was kept, and disk space that could not be released,
// goes into the report, which must outlive this.
class torn_evidence {
  public:
    torn_evidence(const directory_handle& journal, recovery_report& report) noexcept
        : journal_{journal}, report_{report} {}

    // Moves a whole segment, whose header is this, and releases its blocks that are all zero.
    [[nodiscard]] result<void> keep_segment(std::uint64_t ordinal, const segment_header& header);
    // Copies the bytes of a segment that the end frame at `offset` will overwrite, unless they are
    // all zero.
    [[nodiscard]] result<void> keep_overwritten(const writable_segment& segment,
                                                std::uint64_t offset);
    // Releases the blocks of a segment from `offset` on that are all zero.
    void release_after(std::uint64_t offset, const writable_segment& segment);

  private:
    [[nodiscard]] result<directory_handle> directory() const;
    void release_kept(const directory_handle& torn, const std::string& name,
                      const segment_header& header);
    void note_room_kept(const std::filesystem::path& path, const error& why);

    const directory_handle& journal_;
    recovery_report& report_;
};

}  // namespace pawl::detail
