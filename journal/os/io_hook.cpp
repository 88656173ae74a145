#include "os/io_hook.hpp"

#include <atomic>

namespace pawl::detail {

namespace {
std::atomic<io_hook> the_hook{nullptr};
std::atomic<void*> the_context{nullptr};
}  // namespace

void set_io_hook(io_hook hook, void* context) noexcept {
    the_context.store(context, std::memory_order_relaxed);
    the_hook.store(hook, std::memory_order_release);
}

int call_io_hook(const io_event& event) noexcept {
    const io_hook hook = the_hook.load(std::memory_order_acquire);
    return hook == nullptr ? 0 : hook(the_context.load(std::memory_order_relaxed), event);
}

}  // namespace pawl::detail
