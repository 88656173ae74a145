#include "snapshot/snapshot_file.hpp"

#include "os/directory_handle.hpp"
#include "os/lost_sync.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace pawl::detail {

namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 20;

std::uint64_t checksum_of(const snapshot_header& header) noexcept {
    return XXH3_64bits(&header, offsetof(snapshot_header, checksum));
}

// Reads until `into` is full; a file that ends earlier is damaged.
result<void> read_at(int descriptor, std::span<std::byte> into, std::uint64_t offset,
                     const std::filesystem::path& path) {
    while (!into.empty()) {
        const ssize_t got =
            ::pread(descriptor, into.data(), into.size(), static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return std::unexpected(snapshot_io_error(errno, path, "read"));
        if (got == 0)
            return std::unexpected(snapshot_damaged(path, offset, "the file ends too early"));
        into = into.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
    return {};
}

std::unexpected<error> payload_differs(const std::filesystem::path& path) {
    return std::unexpected(
        snapshot_damaged(path, sizeof(snapshot_header), "the payload's hash does not fit"));
}

}  // namespace

error snapshot_io_error(int os_error, const std::filesystem::path& path, std::string_view doing) {
    const errc code = os_error == ENOSPC || os_error == EDQUOT ? errc::disk_full
                      : os_error == ENOENT                     ? errc::not_found
                                                               : errc::io;
    return {
        .code = code, .os_error = os_error, .file = path.string(), .detail = std::string{doing}};
}

error snapshot_damaged(const std::filesystem::path& path, std::uint64_t offset,
                       std::string_view why) {
    return {
        .code = errc::damaged, .offset = offset, .file = path.string(), .detail = std::string{why}};
}

result<void> sync_snapshot_directory(const std::filesystem::path& directory) {
    const snapshot_descriptor opened{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (opened.get() < 0)
        return std::unexpected(snapshot_io_error(errno, directory, "open"));
    if (::fsync(opened.get()) != 0)
        return std::unexpected(snapshot_io_error(errno, directory, "sync"));
    return detail::check_not_lost(opened.get(), directory);
}

result<std::vector<std::string>> snapshot_directory_names(const std::filesystem::path& directory) {
    auto names = directory_handle{directory}.names();
    if (!names && names.error().code == errc::not_found)
        return std::vector<std::string>{};
    return names;
}

snapshot_descriptor::snapshot_descriptor(snapshot_descriptor&& other) noexcept
    : descriptor_{std::exchange(other.descriptor_, -1)} {}

snapshot_descriptor::~snapshot_descriptor() {
    if (descriptor_ >= 0)
        ::close(descriptor_);
}

snapshot_file::snapshot_file(snapshot_descriptor descriptor, std::filesystem::path path,
                             std::uint64_t max_bytes)
    : descriptor_{std::move(descriptor)}, path_{std::move(path)}, max_bytes_{max_bytes} {
    XXH3_64bits_reset(&hash_);
    buffer_.reserve(buffer_bytes);
}

snapshot_file::~snapshot_file() {
    if (!path_.empty())
        ::unlink(path_.c_str());
}

result<std::unique_ptr<snapshot_file>> snapshot_file::create(const std::filesystem::path& temporary,
                                                             const snapshot_access& access,
                                                             std::uint64_t max_bytes) {
    // No other user may open it before it has its owner.
    snapshot_descriptor made{::open(temporary.c_str(),
                                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                    static_cast<mode_t>(access.given ? 0600 : access.mode))};
    if (made.get() < 0)
        return std::unexpected(snapshot_io_error(errno, temporary, "create"));
    std::unique_ptr<snapshot_file> file{new snapshot_file{std::move(made), temporary, max_bytes}};
    if (access.given) {
        if (const int refusal = give_attributes(file->descriptor_.get(), *access.given);
            refusal != 0)
            return std::unexpected(snapshot_io_error(refusal, temporary, "set the owner of"));
    }
    return file;
}

std::unexpected<error> snapshot_file::failed(error why) {
    failure_ = copy_of(why);
    return std::unexpected(std::move(why));
}

result<void> snapshot_file::write_at(std::span<const std::byte> bytes, std::uint64_t offset) {
    while (!bytes.empty()) {
        const ssize_t put =
            ::pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return failed(snapshot_io_error(errno, path_, "write"));
        bytes = bytes.subspan(static_cast<std::size_t>(put));
        offset += static_cast<std::uint64_t>(put);
    }
    return {};
}

result<void> snapshot_file::flush() {
    XXH3_64bits_update(&hash_, buffer_.data(), buffer_.size());
    auto written = write_at(buffer_, sizeof(snapshot_header) + bytes_ - buffer_.size());
    buffer_.clear();
    return written;
}

result<void> snapshot_file::append(std::span<const std::byte> bytes) {
    if (failure_)
        return std::unexpected(copy_of(*failure_));
    if (bytes.size() > max_bytes_ - bytes_)
        return failed({.code = errc::too_large,
                       .size = bytes_ + bytes.size(),
                       .limit = max_bytes_,
                       .reason = "the snapshot grows too large",
                       .file = path_.string()});
    while (!bytes.empty()) {
        const std::size_t piece = std::min(bytes.size(), buffer_bytes - buffer_.size());
        buffer_.insert(buffer_.end(), bytes.begin(),
                       bytes.begin() + static_cast<std::ptrdiff_t>(piece));
        bytes_ += piece;
        bytes = bytes.subspan(piece);
        if (buffer_.size() == buffer_bytes)
            if (auto flushed = flush(); !flushed)
                return flushed;
    }
    return {};
}

result<void> snapshot_file::publish(snapshot_header& header,
                                    const std::filesystem::path& final_name) {
    if (failure_)
        return std::unexpected(copy_of(*failure_));
    if (auto flushed = flush(); !flushed)
        return flushed;
    header.magic = snapshot_magic;
    header.format_version = snapshot_format_version;
    header.header_bytes = sizeof header;
    header.payload_bytes = bytes_;
    header.payload_hash = XXH3_64bits_digest(&hash_);
    header.checksum = checksum_of(header);
    if (auto written = write_at(std::as_bytes(std::span{&header, 1}), 0); !written)
        return written;
    if (::fsync(descriptor_.get()) != 0)
        return failed(snapshot_io_error(errno, path_, "sync"));
    if (auto kept = detail::check_not_lost(descriptor_.get(), path_); !kept)
        return failed(std::move(kept.error()));
    if (::rename(path_.c_str(), final_name.c_str()) != 0)
        return failed(snapshot_io_error(errno, path_, "rename"));
    path_.clear();
    return sync_snapshot_directory(final_name.parent_path());
}

result<snapshot_reader> snapshot_reader::open(const std::filesystem::path& path) {
    // O_NONBLOCK, so that a pipe of that name does not block the reader.
    snapshot_descriptor opened{
        ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
    if (opened.get() < 0)
        return std::unexpected(snapshot_io_error(errno, path, "open"));
    struct stat status{};
    if (::fstat(opened.get(), &status) != 0)
        return std::unexpected(snapshot_io_error(errno, path, "look at"));
    if (!S_ISREG(status.st_mode))
        return std::unexpected(snapshot_damaged(path, no_value, "not a regular file"));

    const auto file_bytes = static_cast<std::uint64_t>(status.st_size);
    snapshot_reader reader{std::move(opened), path};
    snapshot_header& header = reader.header_;
    if (auto read = read_at(reader.descriptor_.get(), std::as_writable_bytes(std::span{&header, 1}),
                            0, path);
        !read)
        return std::unexpected(std::move(read.error()));
    if (header.magic != snapshot_magic)
        return std::unexpected(snapshot_damaged(path, 0, "not a snapshot"));
    // Before the version, check only fields that all versions share.
    if (header.format_version > snapshot_format_version)
        return std::unexpected(
            error{.code = errc::newer_format,
                  .file = path.string(),
                  .detail = "snapshot format " + std::to_string(header.format_version)});
    if (header.header_bytes != sizeof header || header.checksum != checksum_of(header))
        return std::unexpected(snapshot_damaged(path, 0, "the header's checksum does not fit"));
    if (header.payload_bytes != file_bytes - sizeof header)
        return std::unexpected(
            snapshot_damaged(path, sizeof header, "the payload has another length"));
    return reader;
}

result<void> snapshot_reader::read_payload(std::span<std::byte> into) const {
    if (auto read = read_at(descriptor_.get(), into, sizeof header_, path_); !read)
        return read;
    if (XXH3_64bits(into.data(), into.size()) != header_.payload_hash)
        return payload_differs(path_);
    return {};
}

result<void> snapshot_reader::check_payload() const {
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    std::vector<std::byte> buffer(
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer_bytes, header_.payload_bytes)));
    for (std::uint64_t done = 0; done < header_.payload_bytes;) {
        const auto piece = std::span{buffer}.first(static_cast<std::size_t>(
            std::min<std::uint64_t>(buffer.size(), header_.payload_bytes - done)));
        if (auto read = read_at(descriptor_.get(), piece, sizeof header_ + done, path_); !read)
            return read;
        XXH3_64bits_update(&state, piece.data(), piece.size());
        done += piece.size();
    }
    if (XXH3_64bits_digest(&state) != header_.payload_hash)
        return payload_differs(path_);
    return {};
}

}  // namespace pawl::detail
