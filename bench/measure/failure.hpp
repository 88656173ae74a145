#pragma once

#include <stdexcept>
#include <string>

namespace bench {

// Thrown by a question that cannot run: no disk space, a refused system call, a peer's error. The
// runner prints it and continues with the next question; the run then exits with 1.
class failure : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Throws a failure that names the attempted operation and the error in errno.
[[noreturn]] void fail_errno(const std::string& what);

}  // namespace bench
