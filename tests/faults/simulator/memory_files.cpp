#include "memory_files.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

namespace pawl::test {

namespace {

constexpr std::size_t page = 4096;

// Buffers to be reused, by power of two. Like the tree, this is never destroyed: another static
// object's destructor may still release one.
using pool = std::map<std::size_t, std::vector<std::byte*>>;
[[nodiscard]] pool& the_pool() {
    static pool& made = *new pool;
    return made;
}

using tree = std::map<std::string, memory_file_pointer, std::less<>>;
[[nodiscard]] tree& the_tree() {
    static tree& made = *new tree;
    return made;
}

std::uint64_t next_number = 1;

}  // namespace

page_buffer::page_buffer(std::size_t bytes, std::size_t overwritten)
    : bytes_{std::bit_ceil(std::max(bytes, page))} {
    auto& waiting = the_pool()[bytes_];
    if (!waiting.empty()) {
        data_ = waiting.back();
        waiting.pop_back();
        std::memset(data_ + overwritten, 0, bytes_ - overwritten);
        return;
    }
    const long made = ::syscall(SYS_mmap, nullptr, bytes_, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (made == -1) {
        std::perror("no memory for a simulated file");
        std::_Exit(1);
    }
    data_ = reinterpret_cast<std::byte*>(made);
}

page_buffer::page_buffer(page_buffer&& other) noexcept
    : data_{std::exchange(other.data_, nullptr)}, bytes_{std::exchange(other.bytes_, 0)} {}

page_buffer& page_buffer::operator=(page_buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

page_buffer::~page_buffer() {
    if (data_ != nullptr)
        the_pool()[bytes_].push_back(data_);
}

void memory_file::resize(std::uint64_t to) {
    if (to > bytes.size()) {
        if (mappings != 0) {
            std::fputs("a mapped file grows beyond the memory reserved for it\n", stderr);
            std::_Exit(1);
        }
        page_buffer larger{static_cast<std::size_t>(to)};
        if (size != 0)
            std::memcpy(larger.data(), bytes.data(), size);
        bytes = std::move(larger);
    }
    if (to < size)
        std::memset(bytes.data() + to, 0, size - to);
    size = to;
}

void memory_file::write(std::uint64_t offset, std::span<const std::byte> from) {
    if (from.empty())
        return;
    if (offset + from.size() > size)
        resize(offset + from.size());
    std::memcpy(bytes.data() + offset, from.data(), from.size());
}

namespace memory_files {

bool holds(const char* path) noexcept {
    return std::strncmp(path, memory_root.data(), memory_root.size()) == 0;
}

memory_file_pointer find(std::string_view path) {
    const auto found = the_tree().find(path);
    return found == the_tree().end() ? nullptr : found->second;
}

memory_file_pointer create(std::string_view path, bool directory) {
    auto made = std::make_shared<memory_file>();
    made->directory = directory;
    made->number = next_number++;
    the_tree().insert_or_assign(std::string{path}, made);
    return made;
}

std::span<std::byte> put(std::string_view path, std::size_t bytes) {
    const auto made = create(path, false);
    made->bytes = page_buffer{bytes, bytes};
    made->size = bytes;
    return made->contents();
}

bool remove(std::string_view path) {
    const auto found = the_tree().find(path);
    if (found == the_tree().end())
        return false;
    the_tree().erase(found);
    return true;
}

bool rename(std::string_view from, std::string_view to) {
    const auto found = the_tree().find(from);
    if (found == the_tree().end())
        return false;
    auto moved = std::move(found->second);
    the_tree().erase(found);
    the_tree().insert_or_assign(std::string{to}, std::move(moved));
    return true;
}

std::vector<entry> list(std::string_view directory, bool below) {
    const std::string prefix = std::string{directory} + '/';
    std::vector<entry> found;
    for (auto at = the_tree().lower_bound(prefix);
         at != the_tree().end() && at->first.starts_with(prefix); ++at) {
        std::string name = at->first.substr(prefix.size());
        if (below || name.find('/') == std::string::npos)
            found.push_back({std::move(name), at->second});
    }
    return found;
}

void clear(std::string_view directory) {
    const std::string prefix = std::string{directory} + '/';
    const auto first = the_tree().lower_bound(prefix);
    auto behind = first;
    while (behind != the_tree().end() && behind->first.starts_with(prefix))
        ++behind;
    the_tree().erase(first, behind);
    // The root's parent is a directory as well: a new journal's name is synced there.
    for (const std::string_view needed : {memory_root, directory})
        if (find(needed) == nullptr)
            create(needed, true);
}

}  // namespace memory_files

}  // namespace pawl::test
