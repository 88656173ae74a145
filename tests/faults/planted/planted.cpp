#include "planted.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace pawl::detail {

namespace {

[[nodiscard]] bug chosen() noexcept {
    const char* name = std::getenv("PAWL_PLANTED_BUG");
    if (name == nullptr)
        return bug::none;
    const auto named = std::ranges::find(bug_names, std::string_view{name});
    if (named == bug_names.end()) {
        std::fprintf(stderr, "there is no planted bug %s\n", name);
        std::exit(2);
    }
    return static_cast<bug>(named - bug_names.begin());
}

}  // namespace

bool planted(bug which) noexcept {
    static const bug awake = chosen();
    return which == awake;
}

}  // namespace pawl::detail
