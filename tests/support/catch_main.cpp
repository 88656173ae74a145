#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>

#if defined(__SANITIZE_THREAD__)
// Boost.Lockfree's list of free nodes reads the link of a node that another thread may just have
// taken. The value is used only if the compare-and-swap that follows succeeds, and its tag then
// proves that the node was still free, but the read itself is a plain one.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
    return "race:boost::lockfree::detail::fixed_size_freelist\n";
}
#endif
