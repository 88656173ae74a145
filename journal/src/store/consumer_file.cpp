#include "store/consumer_file.hpp"

#include "format/hash.hpp"
#include "os/assertion.hpp"
#include "os/io_hook.hpp"
#include "os/this_process.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace pawl::detail {

namespace {

using two_blocks = std::array<consumer_block, 2>;
static_assert(sizeof(two_blocks) == consumer_file_bytes);

[[nodiscard]] struct flock whole_file(short type) noexcept {
    struct flock request{};
    request.l_type = type;
    request.l_whence = SEEK_SET;
    return request;
}

[[nodiscard]] error unusable(errc code, const file& opened, std::string detail) {
    return {.code = code, .offset = 0, .file = opened.path().string(), .detail = std::move(detail)};
}

[[nodiscard]] bool is_whole(const consumer_block& block) noexcept {
    return block.magic == consumer_magic && block.checksum == header_checksum(block);
}

[[nodiscard]] std::string_view text_in(std::span<const char> field) noexcept {
    const auto end = std::ranges::find(field, '\0');
    return {field.data(), static_cast<std::size_t>(end - field.begin())};
}

// A block that is whole was written by a program, so what does not fit is not damage of the bytes.
[[nodiscard]] result<void> check(const consumer_block& block, const file& opened,
                                 std::string_view name, const journal_id& origin) {
    if (block.format_version > format_version || block.incompatible != 0)
        return std::unexpected(
            unusable(errc::newer_format, opened, "a newer program wrote this consumer"));
    if (text_in(block.name) != name)
        return std::unexpected(unusable(
            errc::damaged, opened,
            "the file of the consumer " + std::string{text_in(block.name)} + " was renamed"));
    if (std::memcmp(block.origin, origin.data(), origin.size()) != 0)
        return std::unexpected(
            unusable(errc::diverged, opened, "the consumer of another journal, not of a copy"));
    if (block.selection_bytes > longest_selection)
        return std::unexpected(
            unusable(errc::damaged, opened, "the selection is longer than its field"));
    return {};
}

[[nodiscard]] result<consumer_record> choose(const two_blocks& blocks, const file& opened,
                                             std::string_view name, const journal_id& origin) {
    std::optional<consumer_record> found;
    for (std::size_t slot = 0; slot < blocks.size(); ++slot) {
        const consumer_block& block = blocks[slot];
        if (!is_whole(block))
            continue;
        if (auto fine = check(block, opened, name, origin); !fine)
            return std::unexpected(std::move(fine.error()));
        const sequence_number held =
            std::min(block.next_sequence, found ? found->holds_from : block.next_sequence);
        if (!found || block.generation > found->newest.generation)
            found = consumer_record{.newest = block, .slot = slot};
        found->holds_from = held;
    }
    if (!found)
        return std::unexpected(
            unusable(errc::damaged, opened, "neither of its two blocks is a consumer's"));
    // The other block counts as long as this one may be overwritten before it is synced.
    if ((found->newest.state & consumer_settled) != 0)
        found->holds_from = found->newest.next_sequence;
    PAWL_ASSERT(found->holds_from <= found->newest.next_sequence);
    return *found;
}

}  // namespace

bool is_consumer_name(std::string_view name) noexcept {
    const auto is_plain = [](char each) {
        return (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9');
    };
    return !name.empty() && name.size() <= longest_consumer_name && is_plain(name.front()) &&
           !name.ends_with(".tmp") && std::ranges::all_of(name, [&](char each) {
               return is_plain(each) || each == '_' || each == '-' || each == '.';
           });
}

result<std::optional<directory_handle>> find_consumers(const directory_handle& journal) {
    auto held = journal.hold_below(consumers_name);
    if (held)
        return std::move(*held);
    if (held.error().code == errc::not_found)
        return std::nullopt;
    return std::unexpected(std::move(held.error()));
}

// Looks at the entry of the directory that is held, whatever lies at its path now.
result<file> open_consumer(const directory_handle& consumers, std::string_view name,
                           file::access mode) {
    auto here = consumers.open(".", file::access::read);
    if (!here)
        return here;
    struct stat status{};
    const std::string entry{name};
    const auto path = consumers.path_of(name);
    if (::fstatat(here->descriptor(), entry.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return std::unexpected(system_error(errno, path, "cannot stat"));
    if (!S_ISREG(status.st_mode))
        return std::unexpected(
            error{.code = errc::damaged, .file = path.string(), .detail = "not a regular file"});
    here->close();
    return consumers.open(name, mode);
}

result<consumer_record> read_consumer(const file& opened, std::string_view name,
                                      const journal_id& origin) {
    auto size = opened.size();
    if (!size)
        return std::unexpected(std::move(size.error()));
    if (*size != consumer_file_bytes)
        return std::unexpected(
            unusable(errc::damaged, opened,
                     "a consumer's file has 8192 bytes, not " + std::to_string(*size)));
    // One block is being written at a time, but a read may overlap two of these writes.
    constexpr int tries = 3;
    result<consumer_record> found{};
    for (int i = 0; i < tries; ++i) {
        two_blocks blocks{};
        if (auto read = opened.read_at(std::as_writable_bytes(std::span{blocks}), 0); !read)
            return std::unexpected(std::move(read.error()));
        found = choose(blocks, opened, name, origin);
        if (found || found.error().code != errc::damaged)
            break;
    }
    return found;
}

consumer_position position_of(const consumer_block& block) noexcept {
    return {.point = {block.next_sequence, block.content_hash, block.frame_hash},
            .event_ns = block.event_ns};
}

std::string owner_of(const consumer_block& block) {
    process_name owner{.process = block.process};
    std::memcpy(owner.host, block.host, sizeof owner.host);
    std::memcpy(owner.program, block.program, sizeof owner.program);
    std::memcpy(owner.boot, block.boot, sizeof owner.boot);
    return owner.text();
}

void seal(consumer_block& block) noexcept {
    PAWL_ASSERT(block.magic == consumer_magic && block.generation != 0);
    block.checksum = header_checksum(block);
}

result<void> take_lease(const file& opened) {
    PAWL_ASSERT(opened);
    const auto& path = opened.path();
    if (const int refused = call_io_hook({.operation = io_operation::lock, .path = path.c_str()});
        refused != 0)
        return std::unexpected(system_error(refused, path, "cannot lock"));
    struct flock request = whole_file(F_WRLCK);
    if (::fcntl(opened.descriptor(), F_OFD_SETLK, &request) == 0)
        return {};
    if (errno != EAGAIN && errno != EACCES)
        return std::unexpected(system_error(errno, path, "cannot lock"));
    error refused{
        .code = errc::locked, .file = path.string(), .detail = "another process reads under it"};
    std::array<std::byte, consumer_file_bytes> bytes{};
    if (opened.read_at(bytes, 0)) {
        two_blocks blocks{};
        std::memcpy(blocks.data(), bytes.data(), bytes.size());
        const consumer_block& newest =
            is_whole(blocks[1]) && blocks[1].generation > blocks[0].generation ? blocks[1]
                                                                               : blocks[0];
        if (is_whole(newest))
            refused.detail = "held by " + owner_of(newest);
    }
    return std::unexpected(std::move(refused));
}

void end_lease(const file& opened) noexcept {
    PAWL_ASSERT(opened);
    // A forked child may hold a copy of the descriptor; an explicit unlock ends the lock for it,
    // too.
    struct flock request = whole_file(F_UNLCK);
    (void)::fcntl(opened.descriptor(), F_OFD_SETLK, &request);
}

result<bool> is_leased(const file& opened) {
    PAWL_ASSERT(opened);
    struct flock request = whole_file(F_RDLCK);
    if (::fcntl(opened.descriptor(), F_OFD_GETLK, &request) != 0)
        return std::unexpected(system_error(errno, opened.path(), "cannot query the lease"));
    return request.l_type != F_UNLCK;
}

}  // namespace pawl::detail
