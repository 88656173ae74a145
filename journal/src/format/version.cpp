#include <pawl/journal/version.hpp>

namespace pawl {

std::string_view version() noexcept {
    return PAWL_VERSION;
}

}  // namespace pawl
