#include "append/segment_supply.hpp"

#include "os/file.hpp"
#include "store/directory.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace pawl::detail {

segment_supply::segment_supply(segment_request request, std::uint64_t ahead) noexcept
    : request_{std::move(request)}, ahead_{std::clamp<std::uint64_t>(ahead, 1, ring_slots)} {}

segment_supply::~segment_supply() {
    for (live_segment* left = take(); left != nullptr; left = take())
        delete left;
}

result<bool> segment_supply::replenish() {
    const std::uint64_t made = made_.load(std::memory_order_relaxed);
    if (!wants_more())
        return false;
    auto fresh = create_segment(request_);
    if (!fresh) {
        const bool full = fresh.error().code == errc::disk_full;
        disk_full_.store(full, std::memory_order_relaxed);
        if (full)
            return false;
        return std::unexpected(std::move(fresh.error()));
    }
    disk_full_.store(false, std::memory_order_relaxed);
    auto* segment = new (std::nothrow) live_segment{std::move(*fresh)};
    if (segment == nullptr)
        return fail(errc::out_of_memory);
    ++request_.ordinal;
    ring_[made % ring_.size()] = segment;
    made_.store(made + 1, std::memory_order_release);
    return true;
}

result<void> segment_supply::discard() {
    for (live_segment* left = take(); left != nullptr; left = take()) {
        const std::unique_ptr<live_segment> owned{left};
        auto removed = request_.directory.unlink(segment_name(owned->header.ordinal));
        if (!removed)
            return removed;
    }
    return {};
}

}  // namespace pawl::detail
