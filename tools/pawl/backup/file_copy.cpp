#include "backup/file_copy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pawl::cli {

namespace {

class descriptor {
  public:
    explicit descriptor(int number) noexcept : number_{number} {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (number_ >= 0)
            ::close(number_);
    }
    [[nodiscard]] int number() const noexcept { return number_; }
    [[nodiscard]] explicit operator bool() const noexcept { return number_ >= 0; }

  private:
    int number_;
};

[[nodiscard]] std::unexpected<error> failed(const std::filesystem::path& path, std::string what) {
    const int number = errno;
    const errc code = number == ENOSPC || number == EDQUOT ? errc::disk_full
                      : number == ENOENT                   ? errc::not_found
                                                           : errc::io;
    return std::unexpected(
        error{.code = code, .os_error = number, .file = path.string(), .detail = std::move(what)});
}

[[nodiscard]] result<void> write_at(const descriptor& out, std::span<const char> bytes,
                                    std::uint64_t offset, const std::filesystem::path& to) {
    while (!bytes.empty()) {
        const ssize_t done =
            ::pwrite(out.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return failed(to, "cannot write");
        bytes = bytes.subspan(static_cast<std::size_t>(done));
        offset += static_cast<std::uint64_t>(done);
    }
    return {};
}

[[nodiscard]] result<std::uint64_t> copy_bytes(const descriptor& in, const descriptor& out,
                                               std::uint64_t bytes,
                                               const std::filesystem::path& from,
                                               const std::filesystem::path& to) {
    constexpr std::size_t piece = std::size_t{1} << 16;
    std::vector<char> buffer(piece);
    std::uint64_t done = 0;
    std::uint64_t copied = 0;
    while (done < bytes) {
        const std::size_t wanted = std::min<std::uint64_t>(piece, bytes - done);
        const ssize_t got = ::pread(in.number(), buffer.data(), wanted, static_cast<off_t>(done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed(from, "cannot read");
        if (got == 0)
            break;
        const std::span<const char> part{buffer.data(), static_cast<std::size_t>(got)};
        // What is zero stays a hole: most of a segment that was closed early.
        if (std::ranges::any_of(part, [](char byte) { return byte != 0; })) {
            if (auto written = write_at(out, part, done, to); !written)
                return std::unexpected(std::move(written.error()));
            copied += part.size();
        }
        done += part.size();
    }
    return copied;
}

}  // namespace

result<std::uint64_t> copy_synced(const std::filesystem::path& from,
                                  const std::filesystem::path& to, std::uint64_t bytes) {
    const descriptor in{::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
    if (!in)
        return failed(from, "cannot open");
    struct stat status{};
    if (::fstat(in.number(), &status) != 0)
        return failed(from, "cannot look at it");
    const auto size = static_cast<std::uint64_t>(status.st_size);
    constexpr mode_t only_owner = 0600;
    const descriptor out{::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, only_owner)};
    if (!out)
        return failed(to, "cannot create");
    auto copied = copy_bytes(in, out, std::min(bytes, size), from, to);
    if (!copied)
        return copied;
    if (::ftruncate(out.number(), status.st_size) != 0)
        return failed(to, "cannot extend");
    // A process that may not give files away keeps them: the mode still says who else may read.
    (void)!::fchown(out.number(), status.st_uid, status.st_gid);
    if (::fchmod(out.number(), status.st_mode & 07777) != 0)
        return failed(to, "cannot set the mode");
    if (::fsync(out.number()) != 0)
        return failed(to, "cannot sync");
    return copied;
}

result<void> sync_directory(const std::filesystem::path& directory) {
    const descriptor held{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!held)
        return failed(directory, "cannot open");
    if (::fsync(held.number()) != 0)
        return failed(directory, "cannot sync");
    return {};
}

result<void> put_at(const std::filesystem::path& fresh, const std::filesystem::path& to) {
    if (::rename(fresh.c_str(), to.c_str()) != 0)
        return failed(to, "cannot put the copy in its place");
    return {};
}

result<void> exchange(const std::filesystem::path& fresh, const std::filesystem::path& current) {
    if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, current.c_str(), RENAME_EXCHANGE) != 0)
        return failed(current, "cannot put the new copy in its place");
    return {};
}

result<void> make_directory(const std::filesystem::path& path, const std::filesystem::path& like) {
    struct stat status{};
    if (::stat(like.c_str(), &status) != 0)
        return failed(like, "cannot look at it");
    constexpr mode_t only_owner = 0700;
    if (::mkdir(path.c_str(), only_owner) != 0)
        return failed(path, "cannot create");
    (void)!::chown(path.c_str(), status.st_uid, status.st_gid);
    if (::chmod(path.c_str(), status.st_mode & 07777) != 0)
        return failed(path, "cannot set the mode");
    return {};
}

}  // namespace pawl::cli
