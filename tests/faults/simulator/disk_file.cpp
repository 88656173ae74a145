#include "disk_file.hpp"

#include "simulated_disk.hpp"

#include <pawl/journal/detail/frame.hpp>

#include <algorithm>
#include <cstring>
#include <utility>

namespace pawl::test {

namespace {

constexpr std::uint64_t word_bytes = sizeof(std::uint64_t);
constexpr std::uint64_t page = 4096;

[[nodiscard]] std::uint64_t words_for(std::uint64_t bytes) noexcept {
    return (bytes + word_bytes - 1) / word_bytes;
}

}  // namespace

void disk_file::adopt(std::span<const std::byte> bytes) {
    size_ = disk_size_ = bytes.size();
    cache_.assign(words_for(size_), 0);
    if (!bytes.empty())
        std::memcpy(cache_.data(), bytes.data(), bytes.size());
    disk_ = cache_;
}

void disk_file::reserve(std::uint64_t bytes) {
    if (words_for(bytes) <= cache_.size())
        return;
    cache_.resize(words_for(bytes), 0);
    disk_.resize(words_for(bytes), 0);
}

void disk_file::note(std::uint64_t word, std::uint64_t value, std::uint64_t time) {
    if (cache_[word] == value)
        return;
    cache_[word] = value;
    stores_.push_back({time, word, value});
}

void disk_file::write(std::uint64_t offset, std::span<const std::byte> bytes, std::uint64_t time) {
    const std::uint64_t end = offset + bytes.size();
    reserve(end);
    for (std::uint64_t word = offset / word_bytes; word < words_for(end); ++word) {
        std::uint64_t value = cache_[word];
        const std::uint64_t from = std::max(offset, word * word_bytes);
        const std::uint64_t to = std::min(end, (word + 1) * word_bytes);
        std::memcpy(reinterpret_cast<std::byte*>(&value) + from % word_bytes,
                    bytes.data() + (from - offset), to - from);
        note(word, value, time);
    }
    if (end > size_)
        resize(end, time);
}

void disk_file::zero(std::uint64_t offset, std::uint64_t bytes, std::uint64_t time) {
    const std::vector<std::byte> zeros(std::min(bytes, size_ - std::min(size_, offset)));
    if (!zeros.empty())
        write(offset, zeros, time);
}

void disk_file::resize(std::uint64_t bytes, std::uint64_t time) {
    if (bytes == size_)
        return;
    if (bytes < size_)
        zero(bytes, size_ - bytes, time);
    reserve(bytes);
    size_ = bytes;
    sizes_.push_back({time, bytes});
}

std::uint64_t disk_file::observe(std::span<const std::byte> shown, std::uint64_t time) {
    const std::size_t before = stores_.size();
    const auto* known = reinterpret_cast<const std::byte*>(cache_.data());
    const std::size_t all = std::min(shown.size(), cache_.size() * word_bytes);
    constexpr std::size_t step = 1024;
    for (std::size_t at = 0; at < all; at += step) {
        const std::size_t bytes = std::min(step, all - at);
        if (std::memcmp(shown.data() + at, known + at, bytes) == 0)
            continue;
        for (std::size_t word = at / word_bytes; word < (at + bytes) / word_bytes; ++word)
            note(word, detail::load_u64(shown.data() + word * word_bytes), time);
    }
    return stores_.size() - before;
}

void disk_file::sync(std::uint64_t offset, std::uint64_t bytes) {
    const std::uint64_t first = offset / word_bytes;
    const std::uint64_t behind = words_for(offset + bytes);
    std::erase_if(stores_, [&](const store& one) {
        const bool inside = one.word >= first && one.word < behind;
        if (inside)
            disk_[one.word] = cache_[one.word];
        return inside;
    });
}

void disk_file::sync_size() {
    disk_size_ = size_;
    sizes_.clear();
}

std::uint64_t disk_file::limit(const cut_choice& choice, std::uint64_t now,
                               std::uint64_t byte) const noexcept {
    // If the unit is larger than a file, all files share one time.
    const std::uint64_t unit = choice.unit_shift >= 48 ? 0 : (byte >> choice.unit_shift) + 1;
    const std::uint64_t of = choice.unit_shift >= 48 ? 0 : id_;
    const std::uint64_t h = detail::mix64(choice.seed ^ detail::mix64(unit ^ of << 40));
    if ((h & 0xff) < choice.newest_in_256)
        return now;
    return (h >> 8 & 1) != 0 ? 0 : (h >> 16) % (now + 1);
}

void disk_file::fail_sync(std::uint64_t offset, std::uint64_t bytes, const cut_choice& choice) {
    const std::uint64_t first = offset / word_bytes;
    const std::uint64_t behind = words_for(offset + bytes);
    std::uint64_t now = 0;
    for (const store& one : stores_)
        now = std::max(now, one.time);
    std::erase_if(stores_, [&](const store& one) {
        const bool inside = one.word >= first && one.word < behind;
        if (inside && one.time <= limit(choice, now, one.word * word_bytes))
            disk_[one.word] = one.value;
        return inside;
    });
}

void disk_file::page_dirtied(std::uint64_t index, std::uint64_t time) {
    const std::uint64_t behind =
        std::min<std::uint64_t>(cache_.size(), (index + 1) * page / word_bytes);
    for (std::uint64_t word = index * page / word_bytes; word < behind; ++word) {
        if (cache_[word] != disk_[word])
            stores_.push_back({time, word, cache_[word]});
    }
}

std::uint64_t disk_file::size_after(const cut_choice& choice, std::uint64_t now) const noexcept {
    std::uint64_t size = disk_size_;
    const std::uint64_t size_limit = limit(choice, now, std::uint64_t{1} << 47);
    for (const size_change& one : sizes_) {
        if (one.time <= size_limit)
            size = one.bytes;
    }
    return size;
}

void disk_file::contents(const cut_choice& choice, std::uint64_t now,
                         std::span<std::byte> into) const {
    const std::uint64_t known = std::min(into.size(), disk_.size() * word_bytes);
    if (known != 0)
        std::memcpy(into.data(), disk_.data(), known);
    if (known < into.size())
        std::memset(into.data() + known, 0, into.size() - known);
    for (const store& one : stores_) {
        const std::uint64_t at = one.word * word_bytes;
        if (at >= into.size() || one.time > limit(choice, now, at))
            continue;
        std::memcpy(into.data() + at, &one.value, std::min(word_bytes, into.size() - at));
    }
}

}  // namespace pawl::test
