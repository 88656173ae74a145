// An exclusive flock of a file or directory, for as long as an object lives.
#pragma once

#include "os/file.hpp"

#include <sys/types.h>

#include <pawl/journal/error.hpp>

namespace pawl::detail {

// A child that is forked meanwhile gets a copy of the descriptor, which alone would keep the lock
// for as long as the child lives. So the process that took the lock unlocks it when the object
// ends; the child's copy of the object does not, because that would end its parent's lock.
class held_flock {
  public:
    held_flock() noexcept = default;  // holds nothing

    // Waits for it.
    [[nodiscard]] static result<held_flock> take(file of);
    // locked if another process, or another descriptor of this one, has it.
    [[nodiscard]] static result<held_flock> try_take(file of);

    held_flock(held_flock&& other) noexcept = default;
    held_flock& operator=(held_flock&& other) noexcept;
    ~held_flock() { release(); }

    void release() noexcept;
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(locked_); }

  private:
    explicit held_flock(file locked) noexcept;

    file locked_{};
    pid_t process_ = 0;
};

}  // namespace pawl::detail
