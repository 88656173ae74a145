// The functions that the compiler calls at each memory access in a source compiled with
// -fsanitize=thread. Here they call the scheduler instead of the race detector. An access to an
// atomic is a point; others are not.
//
// The sources of the journal stay unchanged: they need no special type for shared words, so no new
// shared word can be forgotten.
#include "scheduler.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

inline void point() {
    if (auto* schedule = pawl::test::scheduler::inside())
        schedule->point();
}

}  // namespace

// NOLINTBEGIN: the compiler chose the names, and a type cannot stand in parentheses
#define PAWL_FETCH(bits, word, operation)                                           \
    word __tsan_atomic##bits##_fetch_##operation(volatile word* at, word by, int) { \
        point();                                                                    \
        return __atomic_fetch_##operation(at, by, __ATOMIC_SEQ_CST);                \
    }

#define PAWL_EXCHANGE_IF(bits, word, strength, weak)                                         \
    int __tsan_atomic##bits##_compare_exchange_##strength(volatile word* at, word* expected, \
                                                          word to, int, int) {               \
        point();                                                                             \
        return __atomic_compare_exchange_n(at, expected, to, weak, __ATOMIC_SEQ_CST,         \
                                           __ATOMIC_SEQ_CST);                                \
    }

#define PAWL_ATOMIC(bits, word)                                                                    \
    word __tsan_atomic##bits##_load(const volatile word* at, int) {                                \
        point();                                                                                   \
        return __atomic_load_n(at, __ATOMIC_SEQ_CST);                                              \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile word* at, word to, int) {                            \
        point();                                                                                   \
        __atomic_store_n(at, to, __ATOMIC_SEQ_CST);                                                \
    }                                                                                              \
    word __tsan_atomic##bits##_exchange(volatile word* at, word to, int) {                         \
        point();                                                                                   \
        return __atomic_exchange_n(at, to, __ATOMIC_SEQ_CST);                                      \
    }                                                                                              \
    word __tsan_atomic##bits##_compare_exchange_val(volatile word* at, word expected, word to,     \
                                                    int, int) {                                    \
        point();                                                                                   \
        __atomic_compare_exchange_n(at, &expected, to, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
        return expected;                                                                           \
    }                                                                                              \
    PAWL_EXCHANGE_IF(bits, word, strong, false)                                                    \
    PAWL_EXCHANGE_IF(bits, word, weak, true)                                                       \
    PAWL_FETCH(bits, word, add)                                                                    \
    PAWL_FETCH(bits, word, sub)                                                                    \
    PAWL_FETCH(bits, word, and)                                                                    \
    PAWL_FETCH(bits, word, or)                                                                     \
    PAWL_FETCH(bits, word, xor)                                                                    \
    PAWL_FETCH(bits, word, nand)

#define PAWL_PLAIN(bytes)                        \
    void __tsan_read##bytes(void*) {}            \
    void __tsan_write##bytes(void*) {}           \
    void __tsan_unaligned_read##bytes(void*) {}  \
    void __tsan_unaligned_write##bytes(void*) {} \
    void __tsan_read_write##bytes(void*) {}      \
    void __tsan_unaligned_read_write##bytes(void*) {}

extern "C" {

PAWL_ATOMIC(8, std::uint8_t)
PAWL_ATOMIC(16, std::uint16_t)
PAWL_ATOMIC(32, std::uint32_t)
PAWL_ATOMIC(64, std::uint64_t)
void __tsan_atomic_thread_fence(int) {
    point();
}
void __tsan_atomic_signal_fence(int) {}

PAWL_PLAIN(1)
PAWL_PLAIN(2)
PAWL_PLAIN(4)
PAWL_PLAIN(8)
PAWL_PLAIN(16)
void __tsan_read_range(void*, std::size_t) {}
void __tsan_write_range(void*, std::size_t) {}
void __tsan_vptr_read(void**) {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_init() {}
void* __tsan_memcpy(void* to, const void* from, std::size_t bytes) {
    return std::memcpy(to, from, bytes);
}
void* __tsan_memmove(void* to, const void* from, std::size_t bytes) {
    return std::memmove(to, from, bytes);
}
void* __tsan_memset(void* at, int byte, std::size_t bytes) {
    return std::memset(at, byte, bytes);
}
}
// NOLINTEND
