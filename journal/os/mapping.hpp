// A file mapped into memory.
#pragma once

#include "os/file.hpp"
#include "os/pages.hpp"

#include <pawl/journal/error.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace pawl::detail {

class mapping {
  public:
    enum class access : std::uint8_t { read, read_write };

    mapping() noexcept;
    mapping(mapping&&) noexcept;
    mapping& operator=(mapping&&) noexcept;
    ~mapping();

    // Maps the first `bytes` of the file, which must be at least that long. The file may be closed
    // afterwards.
    [[nodiscard]] static result<mapping> of(const file& source, access mode, std::uint64_t bytes);

    [[nodiscard]] std::byte* data() const noexcept { return data_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] explicit operator bool() const noexcept { return data_ != nullptr; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

    // Writes the pages of a range to stable storage and waits for that (msync). A failure must not
    // be retried: the retry may succeed although the data is lost.
    [[nodiscard]] result<void> sync(std::uint64_t offset, std::uint64_t bytes) const;
    // True after an access to a page has failed (SIGBUS). The page was replaced by zeros: nothing
    // read from or stored to the mapping since then can be trusted.
    [[nodiscard]] bool faulted() const noexcept;
    // The same as an error that names the place. Call it after reading and before drawing
    // conclusions from what was read.
    [[nodiscard]] result<void> whole() const;
    // Makes the pages of a range present and writable, so that a store causes no page fault. A
    // kernel without support for that is not an error.
    void populate(std::uint64_t offset, std::uint64_t bytes) const noexcept;
    // Advises the kernel that the range is about to be read in order.
    void will_read(std::uint64_t offset, std::uint64_t bytes) const noexcept;
    // Unmaps the pages of a range; they stay in the page cache.
    void drop(std::uint64_t offset, std::uint64_t bytes) const noexcept;

  private:
    struct region;
    std::unique_ptr<region> region_;
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
    std::filesystem::path path_;
};

}  // namespace pawl::detail
