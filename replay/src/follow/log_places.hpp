// From a start of a cursor to a position that can be stored.
#pragma once

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/cursor.hpp>
#include <pawl/journal/error.hpp>

#include <filesystem>

namespace pawl::detail {

struct place_request {
    std::filesystem::path directory{};
    start from = from_first{};
    visibility show = visibility::durable;  // no position lies beyond what a reader is shown
    bool allow_network_file_system = false;
};

// The position with which a reader begins there, never inside a batch.
[[nodiscard]] result<consumer_position> find_position(const place_request& request);

}  // namespace pawl::detail
