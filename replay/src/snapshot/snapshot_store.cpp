#include "os/directory_handle.hpp"
#include "os/file.hpp"
#include "snapshot/snapshot_file.hpp"
#include "snapshot/snapshot_info.hpp"
#include "snapshot/snapshot_names.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <pawl/replay/snapshot_store.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

namespace pawl {

namespace {

constexpr std::string_view temporary_ending = ".tmp";
constexpr std::string_view rejected_ending = ".snap.rejected";
constexpr std::size_t kept_rejected = 2;

std::uint64_t now_ns() noexcept {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count());
}

// Returns the files of a directory with that prefix and ending, in descending order; none if the
// directory does not exist.
result<std::vector<std::filesystem::path>> files_in(const std::filesystem::path& directory,
                                                    std::string_view prefix,
                                                    std::string_view ending) {
    std::vector<std::filesystem::path> found;
    std::error_code failed;
    std::filesystem::directory_iterator entry{directory, failed};
    if (failed == std::errc::no_such_file_or_directory)
        return found;
    for (; !failed && entry != std::filesystem::directory_iterator{}; entry.increment(failed))
        if (detail::is_snapshot_file(entry->path().filename().native(), prefix, ending))
            found.push_back(entry->path());
    if (failed)
        return std::unexpected(detail::snapshot_io_error(failed.value(), directory, "list"));
    std::ranges::sort(found, std::greater{});
    return found;
}

// Removes all of `files` after the first `keep`. Ignores failures: a leftover file only costs disk
// space.
void remove_behind(const std::vector<std::filesystem::path>& files, std::size_t keep) noexcept {
    for (std::size_t i = keep; i < files.size(); ++i)
        ::unlink(files[i].c_str());
}

// Creates the directory, one level deep, and makes its name durable.
result<void> make_directory(const std::filesystem::path& directory, std::uint32_t file_mode) {
    // Give search permission on the directory to all who may read its files.
    const auto mode = static_cast<mode_t>(file_mode | 0700 | (file_mode & 0444) >> 2);
    if (::mkdir(directory.c_str(), mode) == 0)
        return detail::sync_snapshot_directory(directory.parent_path());
    if (errno != EEXIST)
        return std::unexpected(detail::snapshot_io_error(errno, directory, "create"));
    return {};
}

}  // namespace

result<void> snapshot_sink::write(std::span<const std::byte> bytes) {
    return file_->append(bytes);
}

void snapshot_payload::release::operator()(std::byte* memory) const noexcept {
    std::free(memory);
}

result<snapshot_store> snapshot_store::open(const std::filesystem::path& directory,
                                            const journal_identity& journal,
                                            std::uint32_t state_version, snapshot_options options) {
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
}

result<snapshot_info> snapshot_store::add(const log_point& point, log_digest digest,
                                          const std::function<result<void>(snapshot_sink&)>& save) {
    if (auto made = make_directory(directory_, options_.mode); !made)
        return std::unexpected(std::move(made.error()));
    const std::string prefix = detail::snapshot_prefix(options_.name, state_version_);
    // Left by a process that died while adding a snapshot.
    if (const auto left = files_in(directory_, prefix, temporary_ending))
        remove_behind(*left, 0);

    const std::string stem = prefix + detail::sequence_text(point.next);
    auto file = detail::snapshot_file::create(directory_ / (stem + std::string{temporary_ending}),
                                              options_.mode, options_.max_bytes);
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
    remove_older(path);
    return detail::info_of(path, header);
}

void snapshot_store::remove_older(const std::filesystem::path& newest) const {
    auto files = files_in(directory_, detail::snapshot_prefix(options_.name, state_version_),
                          detail::snapshot_ending);
    if (!files)
        return;
    // A snapshot newer than the one just written belongs to another log and cannot serve as a
    // reserve.
    std::erase_if(*files, [&](const auto& file) { return file > newest; });
    remove_behind(*files, options_.keep);
}

result<snapshot_list> snapshot_store::list() const {
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
    std::filesystem::path aside = snapshot;
    aside += ".rejected";
    if (::rename(snapshot.c_str(), aside.c_str()) != 0)
        return std::unexpected(detail::snapshot_io_error(errno, snapshot, "rename"));
    const auto rejected = files_in(
        directory_, detail::snapshot_prefix(options_.name, state_version_), rejected_ending);
    if (rejected)
        remove_behind(*rejected, kept_rejected);
    return detail::sync_snapshot_directory(directory_);
}

}  // namespace pawl
