// A condition that outlives what it was made from.
#pragma once

#include <pawl/journal/tags.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace pawl::detail {

// Owns the lists that its queries refer to, so it stays where it is.
class kept_condition {
  public:
    // May throw std::bad_alloc.
    explicit kept_condition(const unless_condition& from) {
        std::size_t types = 0;
        std::size_t tags = 0;
        for (const tag_query& each : from.items) {
            types += each.types.size();
            tags += each.tags.size();
        }
        // They do not grow, so no span into them is lost.
        types_.reserve(types);
        tags_.reserve(tags);
        queries_.reserve(from.items.size());
        for (const tag_query& each : from.items) {
            types_.insert(types_.end(), each.types.begin(), each.types.end());
            tags_.insert(tags_.end(), each.tags.begin(), each.tags.end());
            queries_.push_back(
                {.types = {types_.end() - static_cast<std::ptrdiff_t>(each.types.size()),
                           types_.end()},
                 .tags = {tags_.end() - static_cast<std::ptrdiff_t>(each.tags.size()),
                          tags_.end()}});
        }
        condition_ = {.items = queries_, .after = from.after};
    }
    kept_condition(const kept_condition&) = delete;
    kept_condition& operator=(const kept_condition&) = delete;

    [[nodiscard]] const unless_condition& get() const noexcept { return condition_; }

  private:
    std::vector<std::uint16_t> types_;
    std::vector<tag_id> tags_;
    std::vector<tag_query> queries_;
    unless_condition condition_{};
};

}  // namespace pawl::detail
