#include "acknowledgements.hpp"

#include "scratch_files.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <new>

namespace pawl::test {

acknowledgements& acknowledgements::shared() {
    void* at = ::mmap(nullptr, sizeof(acknowledgements), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        give_up("shared memory");
    return *new (at) acknowledgements{};
}

void acknowledgements::reset(sequence_number next) noexcept {
    base_ = next;
    published_used_ = 0;
    durables_used_ = 0;
    rollovers_ = 0;
    failed_ = false;
}

bool acknowledgements::add(marks& to, std::atomic<std::uint64_t>& used, mark made) noexcept {
    const std::uint64_t at = used.load(std::memory_order_relaxed);
    if (at == most_marks)
        return false;
    to[at] = made;
    used.store(at + 1, std::memory_order_release);
    return true;
}

bool acknowledgements::publishing(sequence_number end, std::uint64_t position) noexcept {
    return add(published_, published_used_, {.sequence = end, .position = position});
}

bool acknowledgements::durable(sequence_number durable, std::uint64_t position) noexcept {
    return add(durables_, durables_used_, {.sequence = durable, .position = position});
}

void acknowledgements::failed(const std::string& why) noexcept {
    std::snprintf(why_.data(), why_.size(), "%s", why.c_str());
    failed_ = true;
}

sequence_number acknowledgements::needed_at(std::uint64_t position) const noexcept {
    sequence_number needed = base_;
    for (std::uint64_t i = 0; i < durables_used_ && durables_[i].position <= position; ++i)
        needed = std::max(needed, durables_[i].sequence);
    return needed;
}

sequence_number acknowledgements::possible_at(std::uint64_t position) const noexcept {
    sequence_number possible = base_;
    for (std::uint64_t i = 0; i < published_used_ && published_[i].position < position; ++i)
        possible = std::max(possible, published_[i].sequence);
    return possible;
}

}  // namespace pawl::test
