// Keeps apart what changes which consumers there are, or moves one back, and a prune, which goes by
// them.
#pragma once

#include "os/directory_handle.hpp"
#include "os/file.hpp"

#include <sys/types.h>

#include <pawl/journal/error.hpp>

namespace pawl::detail {

// An exclusive flock of a directory, for a moment: others wait for it.
class consumers_lock {
  public:
    consumers_lock() noexcept = default;  // holds nothing
    // Waits until the caller is the only one that creates, replaces or removes files in
    // `directory`, takes a lease there, or moves a consumer back. Of the journal's own directory:
    // that makes `consumers`.
    [[nodiscard]] static result<consumers_lock> take(const directory_handle& directory);
    // For a prune: of `consumers`, or of the journal's directory as long as that has none.
    [[nodiscard]] static result<consumers_lock> take_for_prune(const directory_handle& journal);
    consumers_lock(consumers_lock&& other) noexcept = default;
    consumers_lock& operator=(consumers_lock&& other) noexcept;
    ~consumers_lock();

    void release() noexcept;

  private:
    explicit consumers_lock(file locked) noexcept;

    file locked_{};
    pid_t process_ = 0;
};

}  // namespace pawl::detail
