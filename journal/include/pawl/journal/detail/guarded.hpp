// Where running out of memory becomes an error.
#pragma once

#include <pawl/journal/error.hpp>

#include <expected>
#include <new>
#include <type_traits>
#include <utility>

namespace pawl::detail {

// What `act` returns, or out_of_memory if it threw std::bad_alloc. Nothing in Pawl throws anything
// else. A program that is compiled without exceptions cannot catch: it ends if memory runs out in
// what it instantiates from Pawl's headers, as it does in its own code.
template <class Act>
    requires(!std::is_void_v<std::invoke_result_t<Act>>)
[[nodiscard]] auto guarded(Act&& act) -> decltype(std::forward<Act>(act)()) {
#ifdef __cpp_exceptions
    try {
        return std::forward<Act>(act)();
    } catch (const std::bad_alloc&) {
        return std::unexpected(error{.code = errc::out_of_memory});
    }
#else
    return std::forward<Act>(act)();
#endif
}

// The same for what returns nothing.
template <class Act>
    requires std::is_void_v<std::invoke_result_t<Act>>
[[nodiscard]] result<void> guarded(Act&& act) {
    return guarded([&]() -> result<void> {
        std::forward<Act>(act)();
        return {};
    });
}

}  // namespace pawl::detail
