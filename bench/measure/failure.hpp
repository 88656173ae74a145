#pragma once

#include <stdexcept>
#include <string>

namespace bench {

// What a question throws when it cannot be asked: no room, a refused system call, a peer's error.
// The runner names it and goes on to the next question, and the run then exits with 1.
class failure : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Throws a failure that names what was tried and what errno says about it.
[[noreturn]] void fail_errno(const std::string& what);

}  // namespace bench
