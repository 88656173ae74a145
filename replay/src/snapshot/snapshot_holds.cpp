#include "snapshot/snapshot_file.hpp"
#include "snapshot/snapshot_info.hpp"
#include "snapshot/snapshot_names.hpp"

#include <pawl/journal/journal.hpp>
#include <pawl/replay/snapshot_holds.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace pawl {

namespace {

// The log points of the good snapshots of one fold and state version.
using points = std::vector<sequence_number>;

// books-v2, the fold and state version, from the name of a snapshot's file.
[[nodiscard]] std::string series_of(const std::string& file) {
    return file.substr(0, file.rfind('-'));
}

// The log point of a snapshot that is good.
[[nodiscard]] std::optional<sequence_number> look_at(const std::filesystem::path& path,
                                                     const journal_id& origin) {
    auto reader = detail::snapshot_reader::open(path);
    if (!reader)
        return std::nullopt;
    const snapshot_info info = detail::info_of(path, reader->header());
    if (info.journal.origin != origin || !reader->check_payload())
        return std::nullopt;
    return info.point.next;
}

[[nodiscard]] result<std::map<std::string, points>> gather(const std::filesystem::path& where,
                                                           const journal_id& origin) {
    std::map<std::string, points> all;
    std::error_code failed;
    std::filesystem::directory_iterator entry{where, failed};
    if (failed == std::errc::no_such_file_or_directory)
        return all;
    for (; !failed && entry != std::filesystem::directory_iterator{}; entry.increment(failed)) {
        const std::string file = entry->path().filename().native();
        if (!detail::is_any_snapshot_file(file))
            continue;
        points& good = all[series_of(file)];
        if (const auto next = look_at(entry->path(), origin))
            good.push_back(*next);
    }
    if (failed)
        return std::unexpected(detail::snapshot_io_error(failed.value(), where, "list"));
    return all;
}

}  // namespace

result<std::vector<prune_hold>> snapshot_holds(const std::filesystem::path& directory,
                                               const std::filesystem::path& snapshots) {
    try {
        const auto journal = inspect(directory);
        if (!journal)
            return std::unexpected(journal.error());
        auto all = gather(snapshots.empty() ? directory / "snapshots" : snapshots, journal->origin);
        if (!all)
            return std::unexpected(std::move(all.error()));
        std::vector<prune_hold> holds;
        for (auto& [series, good] : *all) {
            std::ranges::sort(good, std::greater{});
            holds.push_back({"snapshots " + series, good.size() < 2 ? 0 : good[1]});
        }
        return holds;
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

}  // namespace pawl
