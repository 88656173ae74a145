#include "os/directory_handle.hpp"
#include "os/file.hpp"
#include "snapshot/snapshot_file.hpp"
#include "snapshot/snapshot_info.hpp"
#include "snapshot/snapshot_names.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/replay/snapshot_store.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

namespace pawl {

namespace {

constexpr std::size_t kept_rejected = 2;

std::uint64_t now_ns() noexcept {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count());
}

// Returns those of the names with that prefix and ending as files of the directory, in descending
// order.
std::vector<std::filesystem::path> files_among(const std::vector<std::string>& names,
                                               const std::filesystem::path& directory,
                                               std::string_view prefix, std::string_view ending) {
    std::vector<std::filesystem::path> files;
    for (const std::string& name : names)
        if (detail::is_snapshot_file(name, prefix, ending))
            files.push_back(directory / name);
    std::ranges::sort(files, std::greater{});
    return files;
}

// The same of all names in the directory; none if it does not exist.
result<std::vector<std::filesystem::path>> files_in(const std::filesystem::path& directory,
                                                    std::string_view prefix,
                                                    std::string_view ending) {
    const auto names = detail::snapshot_directory_names(directory);
    if (!names)
        return std::unexpected(names.error());
    return files_among(*names, directory, prefix, ending);
}

// Removes all of `files` after the first `keep`. Ignores failures: a leftover file only costs disk
// space.
void remove_behind(const std::vector<std::filesystem::path>& files, std::size_t keep) noexcept {
    for (std::size_t i = keep; i < files.size(); ++i)
        ::unlink(files[i].c_str());
}

// Returns the time since the file's last change; 0 if it cannot be read or is in the future.
std::chrono::seconds age_of(const std::filesystem::path& file) noexcept {
    struct stat status{};
    if (::lstat(file.c_str(), &status) != 0)
        return {};
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(
        std::chrono::system_clock::now().time_since_epoch());
    return std::max(now - std::chrono::seconds{status.st_mtim.tv_sec}, std::chrono::seconds{0});
}

// Creates the directory, one level deep. True if it was made. One that root made and was then
// killed is given to the journal's owner; one of another user that this process may not give is
// left as it is.
result<bool> make_directory(const std::filesystem::path& directory,
                            const detail::snapshot_access& access) {
    std::error_code none;
    detail::directory_handle parent{directory.parent_path()};
    if (access.given)
        parent = parent.giving(*access.given);
    auto made = parent.make_directory(directory.filename().native(), access.mode);
    if (!made && made.error().os_error == EPERM && std::filesystem::is_directory(directory, none))
        return false;
    return made;
}

// What the files of a journal's own snapshots get: owner, group and mode of journal.pawl, like all
// its files. A directory without one is no journal, and the options decide.
result<detail::snapshot_access> access_in(const std::filesystem::path& journal,
                                          std::uint32_t mode) {
    constexpr std::string_view identity_name = "journal.pawl";
    const detail::directory_handle directory{journal};
    auto given = directory.giving_as(identity_name);
    if (!given && given.error().code == errc::not_found)
        return detail::snapshot_access{.mode = mode};
    if (!given)
        return std::unexpected(std::move(given.error()));
    auto attributes = directory.attributes_of(identity_name);
    if (!attributes)
        return std::unexpected(std::move(attributes.error()));
    return detail::snapshot_access{.mode = attributes->mode, .given = *attributes};
}

}  // namespace

result<void> snapshot_sink::write(std::span<const std::byte> bytes) {
    return detail::guarded([&] { return file_->append(bytes); });
}

void snapshot_payload::release::operator()(std::byte* memory) const noexcept {
    std::free(memory);
}

result<snapshot_store> snapshot_store::open(const std::filesystem::path& directory,
                                            const journal_identity& journal,
                                            std::uint32_t state_version, snapshot_options options) {
    return detail::guarded([&]() -> result<snapshot_store> {
        if (!detail::is_snapshot_name(options.name))
            return fail(errc::invalid_argument, "a snapshot's name is 1 to 32 of a-z, 0-9 and _");
        if (options.keep < 2)
            return fail(errc::invalid_argument, "fewer than 2 snapshots are to be kept");
        snapshot_store store;
        store.directory_ = detail::absolute_path(detail::without_trailing_slashes(
            options.directory.empty() ? directory / "snapshots" : options.directory));
        store.journal_ = journal;
        store.state_version_ = state_version;
        store.options_ = std::move(options);
        return store;
    });
}

result<snapshot_info> snapshot_store::add(const log_point& point, log_digest digest,
                                          const std::function<result<void>(snapshot_sink&)>& save) {
    return detail::guarded([&] { return add_one(point, digest, save); });
}

// Made if necessary, and its name synced once by each store: an earlier one may have made it and
// then failed at the sync.
result<void> snapshot_store::prepare_directory(const detail::snapshot_access& access) {
    auto made = make_directory(directory_, access);
    if (!made)
        return std::unexpected(std::move(made.error()));
    if (*made || !name_is_durable_) {
        if (auto synced = detail::sync_snapshot_directory(directory_.parent_path()); !synced)
            return synced;
    }
    name_is_durable_ = true;
    return {};
}

result<snapshot_info> snapshot_store::add_one(
    const log_point& point, log_digest digest,
    const std::function<result<void>(snapshot_sink&)>& save) {
    auto access = options_.directory.empty() ? access_in(directory_.parent_path(), options_.mode)
                                             : detail::snapshot_access{.mode = options_.mode};
    if (!access)
        return std::unexpected(std::move(access.error()));
    if (auto prepared = prepare_directory(*access); !prepared)
        return std::unexpected(std::move(prepared.error()));
    const std::string prefix = detail::snapshot_prefix(options_.name, state_version_);
    // Left by a process that died while adding a snapshot.
    if (const auto left = files_in(directory_, prefix, detail::snapshot_temporary))
        remove_behind(*left, 0);

    const std::string stem = prefix + detail::sequence_text(point.next);
    auto file = detail::snapshot_file::create(
        directory_ / (stem + std::string{detail::snapshot_temporary}), *access, options_.max_bytes);
    if (!file)
        return std::unexpected(std::move(file.error()));
    snapshot_sink sink{**file};
    if (auto saved = save(sink); !saved)
        return std::unexpected(std::move(saved.error()));

    detail::snapshot_header header{};
    std::ranges::copy(journal_.id, header.journal);
    std::ranges::copy(journal_.origin, header.origin);
    header.next_sequence = point.next;
    header.content_hash = point.content_hash;
    header.frame_hash = point.frame_hash;
    header.log_digest = digest.value();
    header.created_ns = now_ns();
    header.state_version = state_version_;
    std::ranges::copy(options_.name, header.name);
    const std::filesystem::path path = directory_ / (stem + std::string{detail::snapshot_ending});
    if (auto published = (*file)->publish(header, path); !published)
        return std::unexpected(std::move(published.error()));
    if (const auto names = detail::snapshot_directory_names(directory_)) {
        remove_older(*names, prefix, path);
        remove_other_versions(*names, prefix);
    }
    return detail::info_of(path, header);
}

void snapshot_store::remove_older(const std::vector<std::string>& names, std::string_view prefix,
                                  const std::filesystem::path& newest) const {
    auto files = files_among(names, directory_, prefix, detail::snapshot_ending);
    // A snapshot newer than the one just written belongs to another log and cannot serve as a
    // reserve.
    std::erase_if(files, [&](const auto& file) { return file > newest; });
    remove_behind(files, options_.keep);
}

// A version that is still run adds snapshots now and then, so the age of its newest file says how
// long it has not been run. All files of a version go together: an old program that is started
// again finds its newest snapshot, or none.
void snapshot_store::remove_other_versions(const std::vector<std::string>& names,
                                           std::string_view own) const {
    if (options_.keep_other_versions == std::chrono::seconds::max())
        return;
    struct version_files {
        std::vector<std::filesystem::path> files;
        std::chrono::seconds youngest = std::chrono::seconds::max();
    };
    std::map<std::string_view, version_files> versions;
    for (const std::string& name : names) {
        const auto prefix = detail::version_prefix_of(name, options_.name);
        if (prefix.empty() || prefix == own)
            continue;
        version_files& version = versions[prefix];
        version.files.push_back(directory_ / name);
        version.youngest = std::min(version.youngest, age_of(version.files.back()));
    }
    for (const auto& [prefix, version] : versions)
        if (version.youngest > options_.keep_other_versions)
            remove_behind(version.files, 0);
}

result<snapshot_list> snapshot_store::list() const {
    return detail::guarded([&] { return list_all(); });
}

result<snapshot_list> snapshot_store::list_all() const {
    const auto files = files_in(directory_, detail::snapshot_prefix(options_.name, state_version_),
                                detail::snapshot_ending);
    if (!files)
        return std::unexpected(files.error());
    snapshot_list list;
    for (const auto& path : *files) {
        auto reader = detail::snapshot_reader::open(path);
        if (auto fits = reader ? check(path, reader->header()) : std::unexpected(reader.error());
            !fits)
            list.rejected.push_back({path, std::move(fits.error())});
        else
            list.snapshots.push_back(detail::info_of(path, reader->header()));
    }
    std::ranges::sort(list.snapshots, [](const snapshot_info& a, const snapshot_info& b) {
        return a.point.next > b.point.next;
    });
    return list;
}

result<void> snapshot_store::check(const std::filesystem::path& path,
                                   const detail::snapshot_header& header) const {
    const auto refuse = [&](errc code, const char* why) {
        return std::unexpected(error{.code = code, .file = path.string(), .detail = why});
    };
    const snapshot_info info = detail::info_of(path, header);
    if (info.journal.origin != journal_.origin)
        return refuse(errc::diverged, "a snapshot of another journal");
    if (info.name != options_.name || info.state_version != state_version_)
        return refuse(errc::invalid_argument, "a snapshot of another name or state version");
    if (info.payload_bytes > options_.max_bytes)
        return std::unexpected(error{.code = errc::too_large,
                                     .size = info.payload_bytes,
                                     .limit = options_.max_bytes,
                                     .reason = "the snapshot is larger than allowed",
                                     .file = path.string()});
    return {};
}

result<snapshot_payload> snapshot_store::load(const std::filesystem::path& snapshot) const {
    return detail::guarded([&] { return load_one(snapshot); });
}

result<snapshot_payload> snapshot_store::load_one(const std::filesystem::path& snapshot) const {
    auto reader = detail::snapshot_reader::open(snapshot);
    if (!reader)
        return std::unexpected(std::move(reader.error()));
    if (auto fits = check(snapshot, reader->header()); !fits)
        return std::unexpected(std::move(fits.error()));

    snapshot_payload payload;
    payload.info_ = detail::info_of(snapshot, reader->header());
    const std::size_t bytes = payload.info_.payload_bytes;
    const std::size_t rounded =
        (bytes / detail::snapshot_alignment + 1) * detail::snapshot_alignment;
    payload.memory_.reset(
        static_cast<std::byte*>(std::aligned_alloc(detail::snapshot_alignment, rounded)));
    if (!payload.memory_)
        return std::unexpected(error{.code = errc::out_of_memory, .file = snapshot.string()});
    const std::span<std::byte> into{payload.memory_.get(), bytes};
    if (auto read = reader->read_payload(into); !read)
        return std::unexpected(std::move(read.error()));
    payload.bytes_ = into;
    return payload;
}

result<void> snapshot_store::set_aside(const std::filesystem::path& snapshot) {
    return detail::guarded([&] { return set_one_aside(snapshot); });
}

result<void> snapshot_store::set_one_aside(const std::filesystem::path& snapshot) {
    std::filesystem::path aside = snapshot;
    aside += ".rejected";
    if (::rename(snapshot.c_str(), aside.c_str()) != 0)
        return std::unexpected(detail::snapshot_io_error(errno, snapshot, "rename"));
    const auto rejected =
        files_in(directory_, detail::snapshot_prefix(options_.name, state_version_),
                 detail::snapshot_rejected);
    if (rejected)
        remove_behind(*rejected, kept_rejected);
    return detail::sync_snapshot_directory(directory_);
}

}  // namespace pawl
