#include "measure/like.hpp"

#include "measure/failure.hpp"

#include <pawl/journal/cursor.hpp>

#include <algorithm>
#include <vector>

namespace bench {

journal_model like_journal(const std::filesystem::path& directory) {
    auto events = pawl::cursor::open(directory);
    if (!events) {
        throw failure("--like: " + events.error().message());
    }
    std::vector<std::uint32_t> sizes;
    std::uint64_t first_ns = 0;
    std::uint64_t last_ns = 0;
    const auto read = events->for_each([&](const pawl::event& one) {
        if (sizes.empty()) {
            first_ns = one.timestamp_ns();
        }
        last_ns = std::max(last_ns, one.timestamp_ns());
        sizes.push_back(static_cast<std::uint32_t>(one.payload().size()));
    });
    if (!read) {
        throw failure("--like: " + read.error().message());
    }
    if (sizes.size() < 2 || last_ns <= first_ns) {
        throw failure("--like: " + directory.string() + " is too short to tell a rate");
    }
    return {payloads::of_sizes(sizes),
            static_cast<double>(sizes.size() - 1) * 1e9 / static_cast<double>(last_ns - first_ns)};
}

}  // namespace bench
