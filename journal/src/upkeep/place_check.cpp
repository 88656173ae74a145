#include "upkeep/place_check.hpp"

#include "store/directory.hpp"

namespace pawl::detail {

bool place_check::is_due() noexcept {
    constexpr std::chrono::milliseconds interval{50};
    const auto now = std::chrono::steady_clock::now();
    if (now - checked_ < interval)
        return false;
    checked_ = now;
    return true;
}

result<void> place_check::check(const live_segment* oldest) const {
    if (auto there = directory_.still_at_path(); !there)
        return there;
    if (auto there = check_file(identity_name, journal_); !there)
        return there;
    for (; oldest != nullptr; oldest = oldest->next.load(std::memory_order_acquire)) {
        const auto expected = oldest->source.identity();
        if (!expected)
            continue;
        if (auto there = check_file(segment_name(oldest->header.ordinal), *expected); !there)
            return there;
    }
    return {};
}

result<void> place_check::check_file(std::string_view name, file_identity expected) const {
    const auto named = directory_.identity_of(name);
    if (named ? *named == expected : named.error().code != errc::not_found)
        return {};
    return std::unexpected(error{.code = errc::not_found,
                                 .file = directory_.path_of(name).string(),
                                 .detail = named ? "another file has replaced the writer's own"
                                                 : "the writer's file was deleted"});
}

}  // namespace pawl::detail
