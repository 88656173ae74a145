#include "targets.hpp"

#include <array>
#include <cstdlib>
#include <cstring>

namespace pawl::test {

std::span<const fuzz_target> fuzz_targets() noexcept {
    static constexpr std::array targets{
        fuzz_target{"segment", fuzz_segment},   fuzz_target{"index", fuzz_index},
        fuzz_target{"heads", fuzz_heads},       fuzz_target{"control", fuzz_control},
        fuzz_target{"snapshot", fuzz_snapshot}, fuzz_target{"payload", fuzz_payload},
        fuzz_target{"json", fuzz_json},         fuzz_target{"schema", fuzz_schema},
        fuzz_target{"retained", fuzz_retained}, fuzz_target{"fields", fuzz_fields},
        fuzz_target{"lines", fuzz_lines},
    };
    return targets;
}

exact_copy::exact_copy(fuzz_input bytes)
    : at_{static_cast<std::byte*>(std::malloc(bytes.size() == 0 ? 1 : bytes.size()))},
      size_{bytes.size()} {
    if (at_ == nullptr)
        std::abort();
    if (size_ != 0)
        std::memcpy(at_, bytes.data(), size_);
}

exact_copy::~exact_copy() {
    std::free(at_);
}

void demand(bool holds) noexcept {
    if (!holds)
        std::abort();
}

}  // namespace pawl::test
