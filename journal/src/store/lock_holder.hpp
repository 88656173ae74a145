// Who holds a journal, for the message of an error.
#pragma once

#include "os/directory_handle.hpp"

#include <pawl/journal/error.hpp>

namespace pawl::detail {

// Adds to a locked error whom the control file names as the writer, and how old its heartbeat is.
// Other errors stay as they are.
[[nodiscard]] error name_holder(error refused, const directory_handle& directory);

}  // namespace pawl::detail
