#include "os/mapping.hpp"

#include "os/assertion.hpp"
#include "os/io_hook.hpp"
#include "os/sigbus_guard.hpp"

#include <boost/interprocess/mapped_region.hpp>
#include <sys/mman.h>

#include <cerrno>
#include <new>
#include <utility>

namespace pawl::detail {

namespace bi = boost::interprocess;

namespace {

// Boost.Interprocess maps any object that gives it a descriptor; this one lends it ours, which was
// opened with our flags.
struct borrowed_descriptor {
    int descriptor;
    [[nodiscard]] bi::mapping_handle_t get_mapping_handle() const noexcept {
        return bi::ipcdetail::mapping_handle_from_file_handle(descriptor);
    }
};

[[nodiscard]] bi::mode_t boost_mode(mapping::access mode) noexcept {
    return mode == mapping::access::read ? bi::read_only : bi::read_write;
}

struct page_range {
    std::uint64_t begin;
    std::uint64_t bytes;
};

// Grows a range to whole pages inside the mapping.
[[nodiscard]] page_range whole_pages(std::uint64_t offset, std::uint64_t bytes,
                                     std::size_t size) noexcept {
    PAWL_ASSERT(offset <= size);
    const std::uint64_t page = page_bytes();
    const std::uint64_t begin = offset / page * page;
    const std::uint64_t end = bytes > size - offset ? size : offset + bytes;
    return {begin, end - begin};
}

}  // namespace

struct mapping::region {
    explicit region(bi::mapped_region made)
        : mapped{std::move(made)}, guard{guard_range(mapped.get_address(), mapped.get_size())} {
        if (guard == nullptr)
            throw std::bad_alloc{};
    }
    region(const region&) = delete;
    region& operator=(const region&) = delete;
    ~region() { unguard_range(guard); }

    bi::mapped_region mapped;
    guarded_range* guard;
};

mapping::mapping() noexcept = default;
mapping::mapping(mapping&& other) noexcept
    : region_{std::move(other.region_)},
      data_{std::exchange(other.data_, nullptr)},
      size_{std::exchange(other.size_, 0)},
      path_{std::move(other.path_)} {}
mapping& mapping::operator=(mapping&& other) noexcept {
    if (this != &other) {
        region_ = std::move(other.region_);
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
        path_ = std::move(other.path_);
    }
    return *this;
}
mapping::~mapping() = default;

result<mapping> mapping::of(const file& source, access mode, std::uint64_t bytes) {
    PAWL_ASSERT(source);
    PAWL_ASSERT(bytes != 0);
    const io_event event{
        .operation = io_operation::map, .path = source.path().c_str(), .bytes = bytes};
    if (const int refused = call_io_hook(event); refused != 0) {
        return std::unexpected(system_error(refused, source.path(), "cannot map"));
    }
    try {
        mapping made;
        made.region_ = std::make_unique<region>(
            bi::mapped_region{borrowed_descriptor{source.descriptor()}, boost_mode(mode), 0,
                              static_cast<std::size_t>(bytes)});
        made.data_ = static_cast<std::byte*>(made.region_->mapped.get_address());
        made.size_ = made.region_->mapped.get_size();
        PAWL_ASSERT(made.data_ != nullptr && made.size_ == bytes);
        made.path_ = source.path();
        return made;
    } catch (const bi::interprocess_exception& failure) {
        return std::unexpected(
            system_error(failure.get_native_error(), source.path(), "cannot map"));
    } catch (const std::bad_alloc&) {
        return std::unexpected(system_error(ENOMEM, source.path(), "cannot map"));
    }
}

result<void> mapping::sync(std::uint64_t offset, std::uint64_t bytes) const {
    if (bytes == 0)
        return {};
    const auto pages = whole_pages(offset, bytes, size_);
    PAWL_ASSERT(data_ != nullptr && pages.bytes <= size_ - pages.begin);
    const io_event event{.operation = io_operation::sync_range,
                         .path = path_.c_str(),
                         .offset = pages.begin,
                         .bytes = pages.bytes};
    if (const int refused = call_io_hook(event); refused != 0) {
        return std::unexpected(sync_error(refused, path_, "cannot sync"));
    }
    if (::msync(data_ + pages.begin, static_cast<std::size_t>(pages.bytes), MS_SYNC) != 0) {
        return std::unexpected(sync_error(errno, path_, "cannot sync"));
    }
    return whole();
}

result<void> mapping::whole() const {
    if (!faulted())
        return {};
    const std::uintptr_t at = region_->guard->fault.load(std::memory_order_acquire) -
                              reinterpret_cast<std::uintptr_t>(data_);
    PAWL_ASSERT(at < size_);
    return std::unexpected(error{.code = errc::io,
                                 .offset = at / page_bytes() * page_bytes(),
                                 .file = path_.string(),
                                 .detail = "a page of the file is not available (SIGBUS): the file "
                                           "was cut short, or the disk is full or failing"});
}

bool mapping::faulted() const noexcept {
    return region_ != nullptr && region_->guard->fault.load(std::memory_order_acquire) != 0;
}

void mapping::populate(std::uint64_t offset, std::uint64_t bytes) const noexcept {
    if (bytes == 0 || offset >= size_)
        return;
    const auto pages = whole_pages(offset, bytes, size_);
#ifdef MADV_POPULATE_WRITE
    constexpr int advice = MADV_POPULATE_WRITE;
#else
    constexpr int advice = 23;  // Linux 5.14 and later; older C libraries lack the name
#endif
    (void)::madvise(data_ + pages.begin, static_cast<std::size_t>(pages.bytes), advice);
    touch_pages(data_ + pages.begin, static_cast<std::size_t>(pages.bytes));
}

void mapping::will_read(std::uint64_t offset, std::uint64_t bytes) const noexcept {
    if (bytes == 0 || offset >= size_)
        return;
    const auto pages = whole_pages(offset, bytes, size_);
    (void)::madvise(data_ + pages.begin, static_cast<std::size_t>(pages.bytes), MADV_WILLNEED);
}

void mapping::drop(std::uint64_t offset, std::uint64_t bytes) const noexcept {
    if (bytes == 0 || offset >= size_)
        return;
    const auto pages = whole_pages(offset, bytes, size_);
    (void)::madvise(data_ + pages.begin, static_cast<std::size_t>(pages.bytes), MADV_DONTNEED);
}

}  // namespace pawl::detail
