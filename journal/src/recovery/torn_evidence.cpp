#include "recovery/torn_evidence.hpp"

#include "format/segment_walk.hpp"
#include "os/assertion.hpp"
#include "os/mapping.hpp"
#include "store/directory.hpp"
#include "store/unwritten_blocks.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <utility>

namespace pawl::detail {

result<directory_handle> torn_evidence::directory() const {
    auto made = journal_.make_directory(torn_name);
    if (!made)
        return std::unexpected(std::move(made.error()));
    if (*made) {
        if (auto synced = journal_.sync(); !synced)
            return std::unexpected(std::move(synced.error()));
    }
    return journal_.hold_below(torn_name);
}

result<void> torn_evidence::keep_segment(std::uint64_t ordinal, const segment_header& header) {
    PAWL_ASSERT(header.ordinal == ordinal && header.epoch != 0);
    auto torn = directory();
    if (!torn)
        return std::unexpected(std::move(torn.error()));
    const std::string stem = torn_stem(ordinal, header.epoch);
    // Evidence is never replaced. If a copy of the journal was restored, the same segment may
    // be moved here a second time.
    std::string name = stem + ".seg";
    for (int copy = 1;; ++copy) {
        auto moved =
            journal_.move(segment_name(ordinal), *torn, name, directory_handle::on_existing::fail);
        if (!moved && moved.error().os_error == EEXIST) {
            name = stem;
            name.append(".").append(std::to_string(copy)).append(".seg");
            continue;
        }
        if (!moved)
            return moved;
        report_.kept.push_back("torn/" + name);
        release_kept(*torn, name, header);
        return torn->sync();
    }
}

// A crash must not take up a whole segment's space forever: only nonzero bytes are evidence.
void torn_evidence::release_kept(const directory_handle& torn, const std::string& name,
                                 const segment_header& header) {
    const std::filesystem::path kept = torn.path_of(name);
    // Another name may belong to a copy of the journal made of hard links, which may still be
    // in use.
    const auto links = torn.links_of(name);
    if (!links || *links > 1)
        return;
    auto opened = torn.open(name, file::access::read_write);
    if (!opened)
        return note_room_kept(kept, opened.error());
    auto mapped = mapping::of(*opened, mapping::access::read, header.segment_bytes);
    if (!mapped)
        return note_room_kept(kept, mapped.error());
    release_after(0, {header, std::move(*mapped), std::move(*opened)});
}

// What is released is zero already, so a crash at any point changes nothing that is read. A
// page that cannot be read may be evidence: then everything stays.
void torn_evidence::release_after(std::uint64_t offset, const writable_segment& segment) {
    PAWL_ASSERT(offset <= segment.bytes.size());
    const std::uint64_t end = last_nonzero(segment.space(), segment.data(), offset);
    auto done = segment.bytes.whole();
    if (done)
        done = release_zero_space(segment.source, end, segment.bytes.size());
    if (!done)
        note_room_kept(segment.source.path(), done.error());
}

void torn_evidence::note_room_kept(const std::filesystem::path& path, const error& why) {
    report_.notices.push_back(path.string() +
                              ": its unused space was not released: " + why.message());
}

result<void> torn_evidence::keep_overwritten(const writable_segment& segment,
                                             std::uint64_t offset) {
    PAWL_ASSERT(offset % frame_alignment == 0 && offset <= segment.bytes.size());
    PAWL_ASSERT(end_frame_bytes <= segment.bytes.size() - offset);
    const std::span<const std::byte> overwritten{segment.bytes.data() + offset, end_frame_bytes};
    if (std::ranges::all_of(overwritten, [](std::byte b) { return b == std::byte{0}; })) {
        return {};
    }
    auto torn = directory();
    if (!torn)
        return std::unexpected(std::move(torn.error()));
    const std::string name = torn_stem(segment.header.ordinal, segment.header.epoch) + "-" +
                             std::to_string(offset) + ".bytes";
    const std::array parts{overwritten};
    report_.kept.push_back("torn/" + name);
    auto kept = torn->write_whole(name, parts, directory_handle::on_existing::fail);
    if (kept || kept.error().os_error != EEXIST)
        return kept;
    // An earlier recovery died while it stored the end frame. It saved the original bytes; part
    // of an end frame may stand there now.
    if (auto removed = torn->unlink(name + ".tmp"); !removed)
        return removed;
    return torn->sync();
}

}  // namespace pawl::detail
