// The answer to a query of the page, as JSON.
#pragma once

#include "events/database.hpp"

#include <pawl/journal/error.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace pawl::cli {

struct query_limits {
    std::size_t rows = 1000;
    std::chrono::milliseconds time{10'000};
};

// One statement that only reads the journal: it can attach nothing, change nothing and load
// nothing. An object: `columns`, `rows` (an array of values each; integers above 2^53 as strings,
// blobs in hexadecimal), `complete` (false: there are more rows), `milliseconds`. Fails with
// invalid_argument if the query is wrong, not allowed, or takes too long.
[[nodiscard]] result<std::string> answer_query(const std::filesystem::path& directory,
                                               bool allow_network_file_system,
                                               const std::string& text,
                                               const query_limits& limits = {});

}  // namespace pawl::cli
