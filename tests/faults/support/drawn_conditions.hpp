// Conditions for an append, drawn at random from what a model knows of the streams.
#pragma once

#include "support/generated_log.hpp"

#include <pawl/journal/types.hpp>

#include <cstddef>
#include <optional>
#include <vector>

namespace pawl::test {

struct drawn_conditions {
    std::vector<stream_condition> all;
    std::optional<stream_condition> broken;  // the one of them that does not hold

    // Up to three that hold on streams 1 to `streams`, and one in between that does not if `breaks`
    // says so. `version_of` returns a stream's version.
    template <class VersionOf>
    drawn_conditions(random_source& random, stream_id streams, bool breaks,
                     const VersionOf& version_of) {
        const auto drawn_stream = [&] { return 1 + random.below(streams); };
        for (std::uint64_t left = random.below(4); left != 0; --left) {
            const stream_id stream = drawn_stream();
            all.push_back({stream, holding(random, version_of(stream))});
        }
        if (!breaks)
            return;
        const stream_id stream = drawn_stream();
        broken = stream_condition{stream, failing(random, version_of(stream))};
        const std::size_t place = random.below(all.size() + 1);
        all.insert(all.begin() + static_cast<std::ptrdiff_t>(place), *broken);
    }

  private:
    [[nodiscard]] static expect holding(random_source& random, stream_version version) {
        if (random.one_in(4))
            return expect::any();
        if (version != 0 && random.one_in(2))
            return expect::exists();
        return expect::exactly(version);
    }
    [[nodiscard]] static expect failing(random_source& random, stream_version version) {
        if (random.one_in(2))
            return expect::exactly(version + 1);
        return version == 0 ? expect::exists() : expect::exactly(version - 1);
    }
};

}  // namespace pawl::test
