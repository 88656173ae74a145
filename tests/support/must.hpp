// What a call returned, in a test that has no use for its failure.
#pragma once

#include <catch2/catch.hpp>

#include <pawl/journal/error.hpp>

#include <type_traits>
#include <utility>

namespace pawl::test {

// Returns the value, or fails the test with the error's message.
template <class T>
T must(result<T> outcome) {
    if (!outcome)
        FAIL(outcome.error().message());
    if constexpr (!std::is_void_v<T>)
        return std::move(*outcome);
}

}  // namespace pawl::test
