// Stream heads that a test has changed, as the only run.
#pragma once

#include "must.hpp"
#include "store/head_merge.hpp"

namespace pawl::test {

inline void must_rewrite_heads(const detail::directory_handle& directory, const journal_id& id,
                               const detail::stream_heads& heads) {
    (void)must(detail::write_run(directory, id, {}, 0, heads));
}

}  // namespace pawl::test
