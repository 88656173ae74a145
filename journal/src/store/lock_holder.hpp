// Who holds a journal, for the message of an error.
#pragma once

#include "os/directory_handle.hpp"

#include <pawl/journal/error.hpp>

namespace pawl::detail {

// Adds to a locked error which writer the control file names, and how old its heartbeat is. Returns
// other errors unchanged.
[[nodiscard]] error name_holder(error refused, const directory_handle& directory);

}  // namespace pawl::detail
