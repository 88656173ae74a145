#include "upkeep/scrubber.hpp"

#include "format/frame_check.hpp"
#include "format/segment_walk.hpp"
#include "os/assertion.hpp"
#include "store/directory.hpp"
#include "store/log_begin.hpp"

#include <utility>

namespace pawl::detail {

result<bool> scrubber::next_segment() {
    PAWL_ASSERT(next_ <= ordinals_.size());
    segment_.reset();
    for (; next_ != ordinals_.size(); ++next_) {
        auto opened = open_segment(directory_, id_, ordinals_[next_]);
        if (!opened && was_pruned(ordinals_[next_])) {
            in_order_ = false;
            continue;
        }
        if (!opened)
            return std::unexpected(std::move(opened.error()));
        segment_ = std::move(*opened);
        offset_ = first_frame_offset;
        if (!std::exchange(in_order_, true)) {
            sequence_ =
                load_u64(segment_->bytes.data() + first_frame_offset + frame_offset::sequence);
        }
        ++next_;
        return true;
    }
    return false;
}

bool scrubber::was_pruned(std::uint64_t ordinal) const {
    const auto begin = read_log_begin(directory_, id_);
    return begin && ordinal < begin->ordinal;
}

result<std::uint64_t> scrubber::step(std::uint64_t budget_bytes) {
    if (!segment_) {
        auto more = next_segment();
        if (!more)
            return std::unexpected(std::move(more.error()));
        if (!*more)
            return 0;
    }
    const frame_space space = segment_->space();
    const std::uint64_t begin = offset_;
    while (offset_ - begin < budget_bytes) {
        const frame_fault fault = check_in_order(space, offset_, sequence_);
        if (fault != frame_fault::none) {
            if (auto whole = segment_->bytes.whole(); !whole)
                return std::unexpected(std::move(whole.error()));
            return std::unexpected(error{.code = code_of(fault),
                                         .offset = offset_,
                                         .sequence = sequence_,
                                         .file = segment_->bytes.path().string(),
                                         .detail = std::string{to_string(fault)}});
        }
        const commit_word word{load_u64(space.base + offset_)};
        offset_ += padded(word.frame_bytes());
        PAWL_ASSERT(offset_ <= space.bytes);
        if (is_end(word)) {
            segment_.reset();
            break;
        }
        if (!word.is_system())
            ++sequence_;
    }
    return offset_ - begin;
}

}  // namespace pawl::detail
