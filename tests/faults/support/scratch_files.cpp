#include "scratch_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace pawl::test {

void give_up(const std::filesystem::path& where) {
    std::fprintf(stderr, "%s: %s\n", where.c_str(), std::strerror(errno));
    std::_Exit(1);
}

std::vector<std::byte> read_whole(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status{};
    if (descriptor < 0 || ::fstat(descriptor, &status) != 0)
        give_up(file);
    std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
    if (::read(descriptor, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
        give_up(file);
    ::close(descriptor);
    return bytes;
}

void write_whole(const std::filesystem::path& file, std::span<const std::byte> bytes) {
    constexpr std::size_t page = 4096;
    static constexpr std::byte zeros[page]{};
    std::size_t end = bytes.size();
    while (end != 0) {
        const std::size_t begin = (end - 1) / page * page;
        if (std::memcmp(bytes.data() + begin, zeros, end - begin) != 0)
            break;
        end = begin;
    }
    const int descriptor =
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0 ||
        (end != 0 && ::write(descriptor, bytes.data(), end) != static_cast<ssize_t>(end)))
        give_up(file);
    if (end != bytes.size() && ::ftruncate(descriptor, static_cast<off_t>(bytes.size())) != 0)
        give_up(file);
    ::close(descriptor);
}

void empty_directory(const std::filesystem::path& directory) {
    DIR* listing = ::opendir(directory.c_str());
    if (listing == nullptr) {
        if (::mkdir(directory.c_str(), S_IRWXU) != 0)
            give_up(directory);
        return;
    }
    while (const dirent* entry = ::readdir(listing)) {
        const std::string_view name = entry->d_name;
        if (name == "." || name == "..")
            continue;
        if (::unlinkat(::dirfd(listing), entry->d_name, 0) == 0)
            continue;
        empty_directory(directory / name);
        if (::rmdir((directory / name).c_str()) != 0)
            give_up(directory / name);
    }
    ::closedir(listing);
}

}  // namespace pawl::test
