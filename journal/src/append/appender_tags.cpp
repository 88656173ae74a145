// The last event of each tag. An entry is added to the table before anything is stored, so that
// what follows cannot fail; it is moved once the event is published. Until then the table knows
// nothing of the events of an open batch, and an abandoned one has nothing to undo but entries that
// it added.
#include "append/appender.hpp"
#include "os/assertion.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace pawl::detail {

std::optional<error> appender::admit_tags(event_extras& extras) noexcept {
    const std::size_t staged = staged_tags_.size() + extras.tags.size();
    if (batch_.open && staged > staged_tags_.capacity()) {
        try {
            staged_tags_.reserve(std::max(staged, staged_tags_.capacity() * 2));
        } catch (const std::bad_alloc&) {
            return error{.code = errc::out_of_memory};
        }
    }
    for (std::size_t i = 0; i < extras.tags.size(); ++i) {
        const tag_id tag = extras.tags[i];
        if (tags_.find_known(tag) != nullptr)
            continue;
        const auto added = add_tag(tag);
        if (!added) {
            forget_tags(extras);
            return added.error();
        }
        if ((*added)->version == 0)
            extras.added_tags |= 1U << i;
    }
    return std::nullopt;
}

void appender::forget_tags(const event_extras& extras) noexcept {
    for (std::size_t i = 0; extras.added_tags >> i != 0; ++i) {
        if ((extras.added_tags >> i & 1) != 0)
            tags_.forget(extras.tags[i]);
    }
}

void appender::note_tags(const number_list& tags, const receipt& placed) noexcept {
    const std::uint64_t place = pack_position(placed.position.ordinal, placed.position.offset);
    for (std::size_t i = 0; i < tags.size(); ++i) {
        if (!batch_.open) {
            move_tag(tags[i], placed.sequence, place);
            continue;
        }
        PAWL_ASSERT(staged_tags_.size() < staged_tags_.capacity());
        staged_tags_.push_back({tags[i], placed.sequence, place});
    }
}

void appender::move_tag(tag_id tag, sequence_number sequence, std::uint64_t place) noexcept {
    stream_head* tip = tags_.find_or_insert(tag);
    PAWL_ASSERT(tip != nullptr && tip->version <= sequence);
    if (tip == nullptr)
        return;  // cannot happen: the event was admitted with it
    if (tip->version != 0 && unpack_position(tip->last).ordinal != ordinal_)
        tags_.note_touch(ordinal_);
    tip->version = sequence + 1;
    tip->last = place;
}

void appender::keep_staged_tags() noexcept {
    for (const staged_tag& staged : staged_tags_)
        move_tag(staged.tag, staged.sequence, staged.place);
    staged_tags_.clear();
}

void appender::drop_staged_tags() noexcept {
    for (const staged_tag& staged : staged_tags_) {
        if (const stream_head* tip = tags_.find(staged.tag); tip != nullptr && tip->version == 0)
            tags_.forget(staged.tag);
    }
    staged_tags_.clear();
}

}  // namespace pawl::detail
