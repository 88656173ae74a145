#pragma once

namespace pawl::cli {

// The exit codes of `pawl`.
enum exit_code : int {
    success = 0,
    failure = 1,  // damage was found, or the requested item does not exist
    wrong_usage = 2,
    unreadable = 3,  // could not be read, or a writer holds it: no statement about the journal
};

}  // namespace pawl::cli
