#include "cut_sums.hpp"

#include "scratch_files.hpp"

#include <sys/mman.h>

#include <cstdio>
#include <new>

namespace pawl::test {

cut_sums& cut_sums::shared() {
    void* at = ::mmap(nullptr, sizeof(cut_sums), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                      -1, 0);
    if (at == MAP_FAILED)
        give_up("shared memory");
    return *new (at) cut_sums{};
}

void cut_sums::fail(const std::string& what) noexcept {
    if (!failed.exchange(true))
        std::snprintf(why.data(), why.size(), "%s", what.c_str());
}

}  // namespace pawl::test
