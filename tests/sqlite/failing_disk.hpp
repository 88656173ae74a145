// SQLite's default file system, of which one operation can be made to fail.
#pragma once

#include <cstdint>

namespace pawl::test {

enum class disk_failure : std::uint8_t { full, write_error, sync_error, busy };

// While it exists, every database that is opened lies on it.
class failing_disk {
  public:
    failing_disk();
    failing_disk(const failing_disk&) = delete;
    failing_disk& operator=(const failing_disk&) = delete;
    ~failing_disk();

    // The n-th operation from now on fails that `what` can make fail: writes, syncs or locks.
    void fail(disk_failure what, std::uint64_t n) noexcept;
    void repair() noexcept;
    // Whether an operation has failed since the last call of fail().
    [[nodiscard]] bool has_failed() const noexcept;
};

}  // namespace pawl::test
