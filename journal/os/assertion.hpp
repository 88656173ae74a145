// Assertions: conditions that only a bug in Pawl can break. What a disk, a file or a caller can
// break is an error instead.
//
// On in every build but a plain release: with debug, asan, tsan and fuzz because NDEBUG is not
// defined there, and wherever PAWL_ASSERTIONS is defined. Elsewhere the condition is compiled but
// never evaluated.
#pragma once

#if !defined(NDEBUG) && !defined(PAWL_ASSERTIONS)
#define PAWL_ASSERTIONS
#endif

namespace pawl::detail {

#ifdef PAWL_ASSERTIONS
inline constexpr bool assertions_on = true;
#else
inline constexpr bool assertions_on = false;
#endif

// Prints the condition and its place to standard error and aborts.
[[noreturn, gnu::cold]] void assertion_failed(const char* condition, const char* file,
                                              int line) noexcept;

}  // namespace pawl::detail

#define PAWL_ASSERT(condition)                     \
    (!::pawl::detail::assertions_on || (condition) \
         ? static_cast<void>(0)                    \
         : ::pawl::detail::assertion_failed(#condition, __FILE__, __LINE__))
