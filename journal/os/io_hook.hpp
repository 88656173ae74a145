// A hook for fault tests: every system call that opens, maps, reads, changes, locks or syncs a file
// calls it first.
//
// It costs one load of a pointer on paths that make a system call anyway. The hot path makes none
// and never calls it.
#pragma once

#include <cstdint>

namespace pawl::detail {

enum class io_operation : std::uint8_t {
    open,
    create,
    allocate,
    map,
    read,
    write,
    sync_range,  // msync of a mapping
    sync_file,
    sync_directory,
    rename,
    unlink,
    punch,
    lock,
    make_directory,
};

struct io_event {
    io_operation operation{};
    const char* path = "";
    const char* target = "";  // rename: the new name
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    const void* data = nullptr;  // write: what is written
    bool replaces = true;        // rename: false if an existing target makes it fail
};

// Returns 0 to let the call go on, or an errno with which it fails instead.
using io_hook = int (*)(void* context, const io_event& event);

// Not thread-safe with running journals: set it before opening one, and reset it after closing.
void set_io_hook(io_hook hook, void* context) noexcept;
[[nodiscard]] int call_io_hook(const io_event& event) noexcept;

}  // namespace pawl::detail
