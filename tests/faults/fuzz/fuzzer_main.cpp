// One fuzzer for each target, by libFuzzer; PAWL_FUZZ_TARGET is the target's function.
#include "targets.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    pawl::test::PAWL_FUZZ_TARGET(std::as_bytes(std::span{data, size}));
    return 0;
}
