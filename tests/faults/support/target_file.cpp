#include "target_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pawl::test {

target_file::target_file(const std::filesystem::path& path) : path_{path} {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    struct stat status{};
    if (descriptor >= 0 && ::fstat(descriptor, &status) == 0) {
        size_ = static_cast<std::size_t>(status.st_size);
        void* at = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
        bytes_ = at == MAP_FAILED ? nullptr : static_cast<std::byte*>(at);
    }
    if (descriptor >= 0)
        ::close(descriptor);
}

target_file::~target_file() {
    if (bytes_ != nullptr)
        ::munmap(bytes_, size_);
}

}  // namespace pawl::test
