#include "os/data_ranges.hpp"

#include "os/assertion.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace pawl::detail {

data_ranges data_ranges::of(const file& source, std::uint64_t bytes) {
    PAWL_ASSERT(source);
    PAWL_ASSERT(std::in_range<off_t>(bytes));
    constexpr std::size_t most_ranges = 4096;
    data_ranges found{bytes};
    std::vector<byte_range> ranges;
    auto at = static_cast<off_t>(0);
    const auto size = static_cast<off_t>(bytes);
    while (at < size) {
        const off_t begin = ::lseek(source.descriptor(), at, SEEK_DATA);
        if (begin < 0 && errno == ENXIO)
            break;  // only a hole from here on
        if (begin < 0 || ranges.size() == most_ranges)
            return found;
        if (begin >= size)
            break;
        const off_t end = ::lseek(source.descriptor(), begin, SEEK_HOLE);
        if (end <= begin)
            return found;
        ranges.push_back(
            {static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(std::min(end, size))});
        at = end;
    }
    found.ranges_ = std::move(ranges);
    return found;
}

}  // namespace pawl::detail
