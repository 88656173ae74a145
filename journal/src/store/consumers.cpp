// All consumers of a journal: listing them, dropping one, and what they hold back.
#include "os/assertion.hpp"
#include "os/directory_handle.hpp"
#include "store/consumer_file.hpp"
#include "store/consumers_lock.hpp"
#include "store/directory.hpp"

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/detail/guarded.hpp>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl::detail {

namespace {

// Names in it, in order, without what was not finished.
[[nodiscard]] result<std::vector<std::string>> consumer_names(const directory_handle& consumers) {
    auto names = consumers.names();
    if (!names)
        return names;
    std::erase_if(*names, [](const std::string& each) { return each.ends_with(".tmp"); });
    std::ranges::sort(*names);
    return names;
}

struct opened_consumer {
    file opened;
    consumer_record record;
};

[[nodiscard]] result<opened_consumer> open_and_read(const directory_handle& consumers,
                                                    std::string_view name,
                                                    const journal_id& origin) {
    auto opened = open_consumer(consumers, name, file::access::read);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    auto record = read_consumer(*opened, name, origin);
    if (!record)
        return std::unexpected(std::move(record.error()));
    return opened_consumer{std::move(*opened), *record};
}

[[nodiscard]] result<consumer_info> look_at(const directory_handle& consumers,
                                            const std::string& name, const journal_id& origin) {
    const auto consumer = open_and_read(consumers, name, origin);
    if (!consumer)
        return std::unexpected(consumer.error());
    auto held = is_leased(consumer->opened);
    if (!held)
        return std::unexpected(std::move(held.error()));
    const consumer_block& block = consumer->record.newest;
    PAWL_ASSERT(block.selection_bytes <= sizeof block.selection);
    return consumer_info{.name = name,
                         .selection = {block.selection, block.selection_bytes},
                         .position = position_of(block),
                         .holds_from = consumer->record.holds_from,
                         .committed_ns = block.committed_ns,
                         .held = *held,
                         .owner = owner_of(block)};
}

// From where on a prune keeps the events for it. What was read as settled is durable after the
// sync.
[[nodiscard]] result<sequence_number> durable_position(const directory_handle& consumers,
                                                       std::string_view name,
                                                       const journal_id& origin) {
    auto consumer = open_and_read(consumers, name, origin);
    if (!consumer)
        return std::unexpected(std::move(consumer.error()));
    if (auto synced = consumer->opened.sync(); !synced)
        return std::unexpected(std::move(synced.error()));
    return consumer->record.holds_from;
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
    auto consumers = find_consumers(journal);
    if (!consumers)
        return std::unexpected(std::move(consumers.error()));
    consumer_list list;
    if (!*consumers)
        return list;
    auto names = consumer_names(**consumers);
    if (!names)
        return std::unexpected(std::move(names.error()));
    for (std::string& name : *names) {
        auto info = look_at(**consumers, name, identity_of(*identity).origin);
        if (info)
            list.consumers.push_back(std::move(*info));
        else if (is_shortage(info.error()))
            return std::unexpected(std::move(info.error()));
        else if (info.error().code != errc::not_found)  // dropped since the directory was listed
            list.unreadable.push_back({std::move(name), std::move(info.error())});
    }
    return list;
}

[[nodiscard]] error no_such_consumer(const directory_handle& journal, std::string_view name) {
    return {.code = errc::not_found,
            .file = (journal.path_of(consumers_name) / name).string(),
            .detail = "there is no consumer of this name"};
}

[[nodiscard]] result<void> drop(const std::filesystem::path& path, std::string_view name) {
    if (name.empty() || name.find('/') != std::string_view::npos || name.ends_with(".tmp"))
        return fail(errc::invalid_argument, "no consumer can have this name");
    const directory_handle journal{path};
    if (auto identity = read_identity(journal); !identity)
        return std::unexpected(std::move(identity.error()));
    auto consumers = find_consumers(journal);
    if (!consumers)
        return std::unexpected(std::move(consumers.error()));
    if (!*consumers)
        return std::unexpected(no_such_consumer(journal, name));
    auto alone = lock_consumers(**consumers);
    if (!alone)
        return std::unexpected(std::move(alone.error()));
    auto opened = open_consumer(**consumers, name, file::access::read_write);
    if (!opened && opened.error().code == errc::not_found)
        return std::unexpected(no_such_consumer(journal, name));
    // A process can hold only a regular file. If one cannot be opened, find out nothing and remove
    // nothing.
    if (!opened && opened.error().code != errc::damaged)
        return std::unexpected(std::move(opened.error()));
    if (opened) {
        if (auto taken = take_lease(*opened); !taken)
            return taken;
    }
    if (auto removed = (*consumers)->unlink(name); !removed) {
        if (removed.error().os_error == EISDIR)
            removed.error().detail = "this is a directory, not a consumer: remove it with rmdir";
        return removed;
    }
    return (*consumers)->sync();
}

}  // namespace

result<std::vector<prune_hold>> consumer_holds(const directory_handle& journal,
                                               const journal_id& origin) {
    auto consumers = find_consumers(journal);
    if (!consumers)
        return std::unexpected(std::move(consumers.error()));
    std::vector<prune_hold> holds;
    if (!*consumers)
        return holds;
    auto names = consumer_names(**consumers);
    if (!names)
        return std::unexpected(std::move(names.error()));
    for (const std::string& name : *names) {
        auto position = durable_position(**consumers, name, origin);
        if (position)
            holds.push_back({"consumer " + name, *position});
        else if (is_shortage(position.error()))
            return std::unexpected(std::move(position.error()));
        else if (position.error().code != errc::not_found)  // dropped since they were listed
            return std::unexpected(cannot_prune(**consumers, name, position.error()));
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
