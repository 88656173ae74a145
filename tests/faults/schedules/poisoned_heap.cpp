// Memory that is freed is overwritten: a thread that still uses it fails at once, in every repeat.
#include <malloc.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

void release(void* at) noexcept {
    if (at != nullptr)
        std::memset(at, 0xdd, ::malloc_usable_size(at));
    std::free(at);
}

}  // namespace

void operator delete(void* at) noexcept {
    release(at);
}
void operator delete(void* at, std::size_t) noexcept {
    release(at);
}
void operator delete(void* at, std::align_val_t) noexcept {
    release(at);
}
void operator delete(void* at, std::size_t, std::align_val_t) noexcept {
    release(at);
}
