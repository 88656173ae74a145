// Frames: the walk in order, the search after a hole, and what is built from them.
#include "format/description_frame.hpp"
#include "format/metadata.hpp"
#include "format/segment_walk.hpp"
#include "recovery/witness_search.hpp"
#include "store/segment_index.hpp"
#include "targets.hpp"

#include <bit>

namespace pawl::test {

namespace {

using namespace detail;  // NOLINT(google-build-using-namespace): the parsers under test

constexpr std::uint64_t epoch = 0x1234'5678'9abc'def0;

// Frames lie at their offsets in a segment whose header is not in memory.
[[nodiscard]] frame_space space_of(std::span<const std::byte> frames) noexcept {
    const auto origin = std::bit_cast<std::uintptr_t>(frames.data()) - first_frame_offset;
    return {std::bit_cast<const std::byte*>(origin), first_frame_offset + frames.size(), epoch};
}

void repair_frames(std::span<std::byte> frames, unsigned char what) {
    const frame_space space = space_of(frames);
    sequence_number sequence = 0;
    std::size_t at = 0;
    while (frames.size() - at >= frame_header_bytes) {
        std::byte* frame = frames.data() + at;
        const commit_word word{load_u64(frame)};
        if (check_shape(space, first_frame_offset + at, word) != frame_fault::none) {
            at += frame_alignment;
            continue;
        }
        const std::size_t bytes = padded(word.frame_bytes());
        if ((what & repair_sequences) != 0) {
            store_u64(frame + frame_offset::sequence, sequence);
            if (load_u32(frame + frame_offset::witness) > sequence)
                store_u32(frame + frame_offset::witness, 0);
        }
        if ((what & repair_hashes) != 0) {
            store_u64(frame + frame_offset::hash,
                      frame_hash(frame, bytes, epoch, first_frame_offset + at, word.value()));
        }
        sequence += word.is_system() ? 0 : 1;
        at += bytes;
    }
}

void search_behind(const frame_space& space, const walk_end& end) {
    witness_search search{end.sequence, space.bytes - first_frame_offset};
    const data_ranges all{space.bytes};
    const bool found = search.search(space, all, end.offset);
    demand(found == search.proves_damage());
    demand(search.seen() >= end.sequence);
    const auto last = last_nonzero(space, all, end.offset);
    demand(last >= end.offset && last <= space.bytes);
}

void visit(const frame_space& space, std::uint64_t offset, commit_word word,
           std::uint64_t& behind) {
    demand(offset >= behind && word.frame_bytes() <= space.bytes - offset);
    behind = offset + padded(word.frame_bytes());
    if (is_description(word)) {
        const auto said = read_description(space.base + offset, word);
        demand(!said || said->name.size() + said->bytes.size() < word.frame_bytes());
    }
    if ((word.flags() & flag::metadata) == 0)
        return;
    const std::size_t body = word.frame_bytes() - frame_header_bytes;
    const auto extent = measure_metadata({space.base + offset + frame_header_bytes, body});
    demand(extent.fault != metadata_fault::none || extent.bytes <= body);
}

}  // namespace

void fuzz_segment(fuzz_input input) {
    if (input.size() < 1 + frame_header_bytes)
        return;
    const auto what = static_cast<unsigned char>(input[0]);
    const std::size_t bytes = (input.size() - 1) / frame_alignment * frame_alignment;
    const exact_copy copy{input.subspan(1, bytes)};
    repair_frames(copy.bytes(), what);
    const frame_space space = space_of(copy.bytes());

    std::uint64_t behind = first_frame_offset;
    const walk_end end = walk_segment(space, {}, [&](std::uint64_t offset, commit_word word) {
        visit(space, offset, word, behind);
    });
    demand(end.offset >= behind && end.offset <= space.bytes);
    demand(end.durable <= end.sequence && end.events <= end.frames);
    if (!end.ended()) {
        search_behind(space, end);
        return;
    }
    const data_ranges all{space.bytes};
    const auto index = build_index({.space = space, .behind_end = &all}, "hostile");
    if (index)
        demand(index->header.end_offset == end.offset && index->streams.size() <= end.events);
}

}  // namespace pawl::test
