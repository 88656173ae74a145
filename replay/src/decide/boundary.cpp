#include <pawl/replay/boundary.hpp>

#include <algorithm>

namespace pawl {

const boundary::item* boundary::note(const tag_set& tags, std::span<const std::uint16_t> types) {
    if (tags.empty() || !tags.is_valid())
        return nullptr;
    read_.push_back({.tags = tags, .types = {types.begin(), types.end()}});
    const item& read = read_.back();
    queries_.push_back({.types = read.types, .tags = read.tags.span()});
    items = queries_;
    return &read;
}

result<cursor> boundary::open(const item& read, sequence_number from) const {
    const auto tags = read.tags.span();
    event_selection wanted{.types = read.types};
    wanted.tags.assign(tags.begin() + 1, tags.end());
    cursor_options how{.from = from_sequence{from}, .tag = tags.front(), .filter = wanted};
    return cursor::open(log_->directory(), how);
}

}  // namespace pawl
