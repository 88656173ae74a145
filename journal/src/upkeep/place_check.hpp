// Checks that the writer's files are still where it put them. Otherwise a writer whose directory
// was moved or deleted would keep acknowledging events that nobody will find at that path.
#pragma once

#include "append/live_segment.hpp"
#include "os/directory_handle.hpp"

#include <pawl/journal/error.hpp>

#include <chrono>

namespace pawl::detail {

class place_check {
  public:
    // `journal` is the journal.pawl that was locked.
    place_check(directory_handle directory, file_identity journal) noexcept
        : directory_{std::move(directory)}, journal_{journal} {}

    // Whether the last check was at least half a heartbeat ago; if so, counts this one as made.
    [[nodiscard]] bool is_due() noexcept;
    // not_found if the path leads elsewhere, or if journal.pawl or a segment from `oldest` on was
    // deleted or replaced. A name that cannot be looked up at the moment proves nothing.
    [[nodiscard]] result<void> check(const live_segment* oldest) const;

  private:
    [[nodiscard]] result<void> check_file(std::string_view name, file_identity expected) const;

    directory_handle directory_;
    file_identity journal_;
    std::chrono::steady_clock::time_point checked_{};
};

}  // namespace pawl::detail
