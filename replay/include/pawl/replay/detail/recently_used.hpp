// The values of the keys that were used last.
#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>

namespace pawl::detail {

// Finding one takes a lookup and moves it to the front; nothing is allocated for it.
template <class Key, class Value>
class recently_used {
  public:
    // Keeps `capacity` values, but at least one.
    explicit recently_used(std::size_t capacity) noexcept
        : capacity_{capacity == 0 ? 1 : capacity} {}

    // Null if it is not kept. Valid until the value is erased or evicted.
    [[nodiscard]] Value* find(const Key& key) {
        const auto found = places_.find(key);
        if (found == places_.end())
            return nullptr;
        entries_.splice(entries_.begin(), entries_, found->second);
        return &found->second->second;
    }
    // Keeps a value that was not found, in place of the one that was not used for the longest time
    // if there is no room. Changes nothing if it throws std::bad_alloc.
    Value& add(const Key& key, Value value) {
        std::list<std::pair<Key, Value>> one;
        one.emplace_front(key, std::move(value));
        places_.emplace(key, one.begin());
        entries_.splice(entries_.begin(), one);
        if (entries_.size() > capacity_) {
            places_.erase(entries_.back().first);
            entries_.pop_back();
            ++evicted_;
        }
        return entries_.front().second;
    }
    void erase(const Key& key) noexcept {
        const auto found = places_.find(key);
        if (found == places_.end())
            return;
        entries_.erase(found->second);
        places_.erase(found);
    }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] std::size_t evicted() const noexcept { return evicted_; }

  private:
    using list = std::list<std::pair<Key, Value>>;

    std::size_t capacity_;
    std::size_t evicted_ = 0;
    list entries_;  // the last used first
    std::unordered_map<Key, typename list::iterator> places_;
};

}  // namespace pawl::detail
