#include "measure/mapping.hpp"

#include "measure/failure.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <system_error>
#include <utility>

namespace bench {
namespace {

std::byte* map(std::size_t bytes, int protection, int flags, int descriptor,
               const std::string& name) {
    void* at = mmap(nullptr, bytes, protection, flags, descriptor, 0);
    if (at == MAP_FAILED) {
        fail_errno("mmap " + name);
    }
    return static_cast<std::byte*>(at);
}

// Leaves neither the kernel nor a hypervisor any work at the first store. MADV_POPULATE_WRITE fills
// the kernel's page tables (Linux 5.14; on older kernels the access below does). A hypervisor with
// shadow page tables fills its own only when a page is really accessed, which costs microseconds
// that no counter in the guest shows; so access every page as well.
void populate(std::byte* at, std::size_t bytes) {
#ifdef MADV_POPULATE_WRITE
    const bool populated = madvise(at, bytes, MADV_POPULATE_WRITE) == 0;
#else
    const bool populated = false;
#endif
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    for (std::size_t offset = 0; offset < bytes; offset += page) {
        auto* first = reinterpret_cast<volatile unsigned char*>(at + offset);
        const auto value = *first;
        if (!populated) {
            *first = value;
        }
    }
}

}  // namespace

mapping mapping::create(const std::filesystem::path& path, std::size_t bytes, pages wanted) {
    mapping made;
    made.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (made.descriptor_ < 0) {
        fail_errno("create " + path.string());
    }
    made.unlink_ = path;
    if (fallocate(made.descriptor_, 0, 0, static_cast<off_t>(bytes)) != 0) {
        fail_errno("allocate " + path.string());
    }
    made.data_ = map(bytes, PROT_READ | PROT_WRITE, MAP_SHARED, made.descriptor_, path.string());
    made.bytes_ = bytes;
    if (wanted == pages::large) {
        madvise(made.data_, bytes, MADV_HUGEPAGE);
    }
    populate(made.data_, bytes);
    return made;
}

mapping mapping::anonymous(std::size_t bytes) {
    mapping made;
    made.data_ = map(bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, "memory");
    made.bytes_ = bytes;
    populate(made.data_, bytes);
    return made;
}

mapping mapping::open(const std::filesystem::path& path) {
    mapping made;
    made.descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status{};
    if (made.descriptor_ < 0 || fstat(made.descriptor_, &status) != 0) {
        fail_errno("open " + path.string());
    }
    made.bytes_ = static_cast<std::size_t>(status.st_size);
    made.data_ = map(made.bytes_, PROT_READ, MAP_SHARED, made.descriptor_, path.string());
    return made;
}

mapping::mapping(mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      unlink_(std::exchange(other.unlink_, {})) {}

mapping& mapping::operator=(mapping&& other) noexcept {
    if (this != &other) {
        release();
        data_ = std::exchange(other.data_, nullptr);
        bytes_ = std::exchange(other.bytes_, 0);
        descriptor_ = std::exchange(other.descriptor_, -1);
        unlink_ = std::exchange(other.unlink_, {});
    }
    return *this;
}

mapping::~mapping() {
    release();
}

void mapping::release() noexcept {
    if (data_ != nullptr) {
        munmap(data_, bytes_);
    }
    if (descriptor_ >= 0) {
        close(descriptor_);
    }
    if (!unlink_.empty()) {
        unlink(unlink_.c_str());
    }
}

void mapping::drop_cache() {
    fdatasync(descriptor_);
    madvise(data_, bytes_, MADV_DONTNEED);
    posix_fadvise(descriptor_, 0, 0, POSIX_FADV_DONTNEED);
}

scratch_directory::scratch_directory(const std::filesystem::path& parent) {
    std::error_code ignored;
    std::filesystem::create_directories(parent, ignored);
    std::string name = (parent / "pawl-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
        fail_errno("create a directory in " + parent.string());
    }
    path_ = name;
}

scratch_directory::~scratch_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace bench
