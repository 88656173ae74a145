// Why a call on a writer failed, for a row's line of result.
#pragma once

#include <pawl/journal/writer.hpp>

#include <string>

namespace pawl::test {

// The error that the call returned and, if the writer is poisoned, the failure that poisoned it:
// only that names file and offset.
[[nodiscard]] inline std::string failure_text(const writer& log, const error& why) {
    std::string text = why.message();
    if (const auto first = log.failure())
        text += "; the writer's failure: " + first->message();
    return text;
}

}  // namespace pawl::test
