#include "os/planted.hpp"

#ifdef PAWL_PLANTED_BUGS

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace pawl::detail {

namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 34> names{
    "none",
    "no_sync",
    "half_sync",
    "early_watermark",
    "retry_failed_sync",
    "ignore_poison",
    "watermark_too_high",
    "index_before_sync",
    "no_epoch",
    "short_hash",
    "no_padding_hash",
    "no_commit_in_hash",
    "hash_not_checked",
    "batch_not_checked",
    "witness_always_zero",
    "witness_never",
    "no_witness_search",
    "no_clear_word",
    "no_scribble_zeroing",
    "stale_version",
    "no_directory_sync",
    "no_segment_sync",
    "no_temporary",
    "no_replace_sync",
    "no_store_again",
    "no_end_store_again",
    "cut_before_successor",
    "nothing_kept",
    "early_commit",
    "no_lock",
    "cursor_skips",
    "index_not_checked",
    "heads_not_checked",
    "unheeded_sync",
};

[[nodiscard]] bug chosen() noexcept {
    const char* name = std::getenv("PAWL_PLANTED_BUG");
    if (name == nullptr)
        return bug::none;
    const auto found = std::ranges::find(names, std::string_view{name});
    if (found == names.end()) {
        std::fprintf(stderr, "no planted bug is called %s\n", name);
        std::exit(2);
    }
    return static_cast<bug>(found - names.begin());
}

}  // namespace

bool planted(bug which) noexcept {
    static const bug awake = chosen();
    return which == awake;
}

}  // namespace pawl::detail

#endif
