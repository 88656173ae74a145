#include "measure/failure.hpp"

#include <cerrno>
#include <system_error>

namespace bench {

void fail_errno(const std::string& what) {
    throw failure(what + ": " + std::generic_category().message(errno));
}

}  // namespace bench
