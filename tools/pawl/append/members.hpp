// The members of one JSON object, each value as its text.
#pragma once

#include <pawl/journal/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::cli {

struct member {
    std::string name{};
    std::string_view value{};  // as it stands in the text
    std::size_t column = 0;    // of the value, from 1
};

// Fails with invalid_argument, naming the column, if the text is not one object, or if it has two
// members of one name. Values are not checked, only delimited.
[[nodiscard]] result<std::vector<member>> members_of(std::string_view text);

}  // namespace pawl::cli
