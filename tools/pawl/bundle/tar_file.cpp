#include "bundle/tar_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <span>
#include <string>
#include <utility>

namespace pawl::cli {

namespace {

constexpr std::size_t block_bytes = 512;

struct tar_header {
    std::array<char, 100> name{};
    std::array<char, 8> mode{};
    std::array<char, 8> user{};
    std::array<char, 8> group{};
    std::array<char, 12> size{};
    std::array<char, 12> time{};
    std::array<char, 8> checksum{};
    char type = '0';
    std::array<char, 100> link{};
    std::array<char, 8> magic{'u', 's', 't', 'a', 'r', '\0', '0', '0'};
    std::array<char, 247> rest{};
};
static_assert(sizeof(tar_header) == block_bytes);

// Octal digits that fill the field up to its last byte, which stays zero.
template <std::size_t Bytes>
void put_octal(std::array<char, Bytes>& field, std::uint64_t value) {
    const std::string digits = fmt::format("{:0{}o}", value, Bytes - 1);
    digits.copy(field.data(), Bytes - 1);
}

tar_header header_of(std::string_view name, std::uint64_t bytes, std::uint64_t now_s) {
    constexpr std::uint64_t only_the_owner = 0600;
    tar_header header;
    name.copy(header.name.data(), header.name.size());
    put_octal(header.mode, only_the_owner);
    put_octal(header.user, 0);
    put_octal(header.group, 0);
    put_octal(header.size, bytes);
    put_octal(header.time, now_s);
    header.checksum.fill(' ');  // it counts as spaces while it is computed
    std::uint64_t sum = 0;
    for (const std::byte byte : std::as_bytes(std::span{&header, 1}))
        sum += std::to_integer<std::uint64_t>(byte);
    header.checksum.fill('\0');
    put_octal(header.checksum, sum);
    return header;
}

std::unexpected<error> failed(const std::filesystem::path& path) {
    return std::unexpected(error{.code = errno == ENOSPC ? errc::disk_full : errc::io,
                                 .os_error = errno,
                                 .file = path.string()});
}

}  // namespace

result<tar_file> tar_file::create(const std::filesystem::path& path) {
    constexpr int permissions = 0600;
    const int descriptor =
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions);
    if (descriptor < 0)
        return failed(path);
    open_file to{::fdopen(descriptor, "wb"), &std::fclose};
    if (!to) {
        ::close(descriptor);
        return failed(path);
    }
    return tar_file{std::move(to), path, static_cast<std::uint64_t>(std::time(nullptr))};
}

result<void> tar_file::write(std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), to_.get()) != bytes.size())
        return failed(path_);
    return {};
}

result<void> tar_file::add(std::string_view name, std::string_view bytes) {
    if (name.size() > tar_header{}.name.size())
        return fail(errc::invalid_argument, fmt::format("too long for an archive: {}", name));
    const tar_header header = header_of(name, bytes.size(), now_s_);
    if (auto done = write({reinterpret_cast<const char*>(&header), sizeof header}); !done)
        return done;
    if (auto done = write(bytes); !done)
        return done;
    return write(std::string((block_bytes - bytes.size() % block_bytes) % block_bytes, '\0'));
}

result<void> tar_file::finish() {
    if (auto done = write(std::string(2 * block_bytes, '\0')); !done)
        return done;
    if (std::fflush(to_.get()) != 0 || ::fsync(::fileno(to_.get())) != 0)
        return failed(path_);
    return {};
}

}  // namespace pawl::cli
