#include "append/segment_supply.hpp"

#include "os/assertion.hpp"
#include "os/file.hpp"
#include "store/directory.hpp"

#include <algorithm>
#include <cerrno>
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
    // A failed attempt may have left a file with this name, which only the next attempt may
    // replace.
    request_.existing =
        fresh ? directory_handle::on_existing::fail : directory_handle::on_existing::replace;
    if (!fresh) {
        if (!is_shortage(fresh.error()))
            return std::unexpected(std::move(fresh.error()));
        const int lacking = fresh.error().os_error;
        shortage_.store(lacking == 0 ? ENOMEM : lacking, std::memory_order_relaxed);
        return false;
    }
    auto* segment = new (std::nothrow) live_segment{std::move(*fresh)};
    shortage_.store(segment == nullptr ? ENOMEM : 0, std::memory_order_relaxed);
    if (segment == nullptr)
        return false;
    PAWL_ASSERT(segment->header.ordinal == request_.ordinal);
    PAWL_ASSERT(made - taken_.load(std::memory_order_acquire) < ring_.size());
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
