#include "store/unwritten_blocks.hpp"

#include "os/assertion.hpp"
#include "os/page_memory.hpp"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

namespace pawl::detail {

namespace {

// Room for some extents after the request, where the kernel stores them.
constexpr std::size_t extents_at_once = 32;
struct alignas(::fiemap) extent_room {
    std::array<std::byte, sizeof(::fiemap) + extents_at_once * sizeof(::fiemap_extent)> bytes{};
};

// Uses the segment's own descriptor, because its name may refer to another file by now.
[[nodiscard]] result<void> write_past_the_cache(const writable_segment& segment, std::uint64_t from,
                                                std::uint64_t to) {
    PAWL_ASSERT(from < to && to <= segment.bytes.size());
    PAWL_ASSERT(from % page_bytes() == 0);
    constexpr std::uint64_t most_at_once = std::uint64_t{1} << 20;
    if (auto direct = segment.source.write_past_cache(true); !direct)
        return direct;
    auto copy = page_memory::make(static_cast<std::size_t>(std::min(to - from, most_at_once)));
    if (!copy)
        return std::unexpected(std::move(copy.error()));
    while (from < to) {
        const auto part =
            static_cast<std::size_t>(std::min<std::uint64_t>(to - from, copy->size()));
        std::memcpy(copy->data(), segment.bytes.data() + from, part);
        if (auto written = segment.source.write_at({copy->data(), part}, from); !written)
            return written;
        from += part;
    }
    if (auto cached = segment.source.write_past_cache(false); !cached)
        return cached;
    return segment.source.sync();
}

}  // namespace

result<bool> has_unwritten_blocks(const file& source, std::uint64_t offset, std::uint64_t bytes) {
    PAWL_ASSERT(source);
    struct statfs status{};
    if (::fstatfs(source.descriptor(), &status) != 0 || status.f_type != EXT4_SUPER_MAGIC)
        return false;
    const std::uint64_t end = offset + bytes;
    while (offset < end) {
        extent_room room;
        auto* request = reinterpret_cast<::fiemap*>(room.bytes.data());
        request->fm_start = offset;
        request->fm_length = end - offset;
        request->fm_extent_count = extents_at_once;
        if (::ioctl(source.descriptor(), FS_IOC_FIEMAP, request) != 0) {
            if (errno == EIO)
                return std::unexpected(
                    sync_error(errno, source.path(), "the file system has failed"));
            return false;
        }
        const auto* first = reinterpret_cast<const ::fiemap_extent*>(request + 1);
        const std::span found{first, request->fm_mapped_extents};
        for (const ::fiemap_extent& extent : found) {
            if ((extent.fe_flags & FIEMAP_EXTENT_UNWRITTEN) != 0)
                return true;
        }
        if (found.empty() || (found.back().fe_flags & FIEMAP_EXTENT_LAST) != 0)
            return false;
        offset = found.back().fe_logical + found.back().fe_length;
    }
    return false;
}

result<void> check_written(const file& source, std::uint64_t offset, std::uint64_t bytes) {
    const auto unwritten = has_unwritten_blocks(source, offset, bytes);
    if (!unwritten)
        return std::unexpected(unwritten.error());
    if (!*unwritten)
        return {};
    return std::unexpected(error{.code = errc::io,
                                 .offset = offset,
                                 .file = source.path().string(),
                                 .detail = "the sync reported success, but without the page cache "
                                           "what was written would read as zeros"});
}

result<bool> sync_for_good(const writable_segment& segment, std::uint64_t offset,
                           std::uint64_t bytes) {
    PAWL_ASSERT(offset <= segment.bytes.size() && bytes <= segment.bytes.size() - offset);
    if (auto synced = segment.bytes.sync(offset, bytes); !synced)
        return std::unexpected(std::move(synced.error()));
    if (auto kept = segment.source.check_synced(); !kept)
        return std::unexpected(std::move(kept.error()));
    const auto unwritten = has_unwritten_blocks(segment.source, offset, bytes);
    if (!unwritten || !*unwritten)
        return unwritten;
    const std::uint64_t page = page_bytes();
    const std::uint64_t from = offset / page * page;
    const std::uint64_t to =
        std::min<std::uint64_t>((offset + bytes + page - 1) / page * page, segment.bytes.size());
    if (auto written = write_past_the_cache(segment, from, to); !written)
        return std::unexpected(std::move(written.error()));
    if (auto kept = check_written(segment.source, offset, bytes); !kept)
        return std::unexpected(std::move(kept.error()));
    return true;
}

}  // namespace pawl::detail
