#include "store/consumer_file.hpp"

#include "format/hash.hpp"
#include "os/io_hook.hpp"
#include "os/this_process.hpp"
#include "store/directory.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <pawl/journal/detail/guarded.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <span>
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
    return *found;
}

[[nodiscard]] result<file> open_consumer(const directory_handle& consumers, std::string_view name) {
    return consumers.open(name, file::access::read);
}

// Names in `consumers`, in order, without what was not finished.
[[nodiscard]] result<std::vector<std::string>> consumer_names(const directory_handle& journal) {
    auto names = directory_handle{journal.path_of(consumers_name)}.names();
    if (!names && names.error().code == errc::not_found)
        return std::vector<std::string>{};
    if (!names)
        return names;
    std::erase_if(*names, [](const std::string& each) { return each.ends_with(".tmp"); });
    std::ranges::sort(*names);
    return names;
}

[[nodiscard]] result<bool> is_leased(const file& opened) {
    struct flock request = whole_file(F_RDLCK);
    if (::fcntl(opened.descriptor(), F_OFD_GETLK, &request) != 0)
        return std::unexpected(system_error(errno, opened.path(), "cannot query the lease"));
    return request.l_type != F_UNLCK;
}

[[nodiscard]] result<consumer_info> look_at(const directory_handle& consumers,
                                            const std::string& name, const journal_id& origin) {
    auto opened = open_consumer(consumers, name);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    auto record = read_consumer(*opened, name, origin);
    if (!record)
        return std::unexpected(std::move(record.error()));
    auto held = is_leased(*opened);
    if (!held)
        return std::unexpected(std::move(held.error()));
    const consumer_block& block = record->newest;
    return consumer_info{.name = name,
                         .selection = {block.selection, block.selection_bytes},
                         .position = position_of(block),
                         .holds_from = record->holds_from,
                         .committed_ns = block.committed_ns,
                         .held = *held,
                         .owner = owner_of(block)};
}

// From where on a prune keeps the events for it. What was read as settled is durable after the
// sync.
[[nodiscard]] result<sequence_number> durable_position(const directory_handle& consumers,
                                                       std::string_view name,
                                                       const journal_id& origin) {
    auto opened = open_consumer(consumers, name);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    auto record = read_consumer(*opened, name, origin);
    if (!record)
        return std::unexpected(std::move(record.error()));
    if (auto synced = opened->sync(); !synced)
        return std::unexpected(std::move(synced.error()));
    return record->holds_from;
}

[[nodiscard]] error cannot_prune(const directory_handle& consumers, const std::string& name,
                                 const error& why) {
    std::string detail = "which events the consumer ";
    detail += name;
    detail +=
        " still needs is not known, so none is pruned until it is dropped (drop_consumer, `pawl "
        "consumers drop DIR ";
    detail += name;
    detail += "`): ";
    detail += to_string(why.code);
    detail += ": ";
    detail += why.detail;
    return {.code = errc::unreadable_consumer,
            .os_error = why.os_error,
            .file = consumers.path_of(name).string(),
            .detail = std::move(detail)};
}

[[nodiscard]] result<consumer_list> list_all(const std::filesystem::path& path) {
    const directory_handle journal{path};
    auto identity = read_identity(journal);
    if (!identity)
        return std::unexpected(std::move(identity.error()));
    auto names = consumer_names(journal);
    if (!names)
        return std::unexpected(std::move(names.error()));
    const directory_handle consumers{journal.path_of(consumers_name)};
    consumer_list list;
    for (std::string& name : *names) {
        auto info = look_at(consumers, name, identity_of(*identity).origin);
        if (info)
            list.consumers.push_back(std::move(*info));
        else if (info.error().code != errc::not_found)  // dropped since the directory was listed
            list.unreadable.push_back({std::move(name), std::move(info.error())});
    }
    return list;
}

[[nodiscard]] result<void> drop(const std::filesystem::path& path, std::string_view name) {
    if (name.empty() || name.find('/') != std::string_view::npos || name.ends_with(".tmp"))
        return fail(errc::invalid_argument, "no consumer can have this name");
    if (auto identity = read_identity(directory_handle{path}); !identity)
        return std::unexpected(std::move(identity.error()));
    auto consumers = directory_handle::hold(path / consumers_name);
    const auto none = [&] {
        return std::unexpected(error{.code = errc::not_found,
                                     .file = (path / consumers_name / name).string(),
                                     .detail = "there is no consumer of this name"});
    };
    if (!consumers)
        return consumers.error().code == errc::not_found
                   ? result<void>{none()}
                   : std::unexpected(std::move(consumers.error()));
    auto alone = administer(*consumers);
    if (!alone)
        return std::unexpected(std::move(alone.error()));
    auto opened = consumers->open(name, file::access::read_write);
    if (!opened && opened.error().code == errc::not_found)
        return none();
    // What cannot be opened is not in use either.
    if (opened) {
        if (auto taken = take_lease(*opened); !taken)
            return taken;
    }
    if (auto removed = consumers->unlink(name); !removed)
        return removed;
    return consumers->sync();
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

result<file> administer(const directory_handle& consumers) {
    auto opened = consumers.open(".", file::access::read);
    if (!opened)
        return opened;
    int done = 0;
    do {
        done = ::flock(opened->descriptor(), LOCK_EX);
    } while (done != 0 && errno == EINTR);
    if (done != 0)
        return std::unexpected(system_error(errno, consumers.path(), "cannot lock the directory"));
    return opened;
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
    block.checksum = header_checksum(block);
}

result<void> take_lease(const file& opened) {
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
    // A forked child may hold a copy of the descriptor; an explicit unlock ends the lock for it,
    // too.
    struct flock request = whole_file(F_UNLCK);
    (void)::fcntl(opened.descriptor(), F_OFD_SETLK, &request);
}

result<std::vector<prune_hold>> consumer_holds(const directory_handle& journal,
                                               const journal_id& origin) {
    auto names = consumer_names(journal);
    if (!names)
        return std::unexpected(std::move(names.error()));
    const directory_handle consumers{journal.path_of(consumers_name)};
    std::vector<prune_hold> holds;
    for (const std::string& name : *names) {
        const auto position = durable_position(consumers, name, origin);
        if (position)
            holds.push_back({"consumer " + name, *position});
        else if (position.error().code != errc::not_found)  // dropped since they were listed
            return std::unexpected(cannot_prune(consumers, name, position.error()));
    }
    return holds;
}

}  // namespace pawl::detail

namespace pawl {

result<consumer_list> list_consumers(const std::filesystem::path& directory) {
    return detail::guarded([&] { return detail::list_all(directory); });
}

result<void> drop_consumer(const std::filesystem::path& directory, std::string_view name) {
    return detail::guarded([&] { return detail::drop(directory, name); });
}

}  // namespace pawl
