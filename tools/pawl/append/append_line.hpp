// One line for `append`, taken apart: an event, the name of a stream, or the description of a type.
#pragma once

#include <pawl/journal/error.hpp>
#include <pawl/journal/metadata.hpp>
#include <pawl/journal/types.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pawl::cli {

// A line of a dump with an event.
struct event_line {
    std::optional<sequence_number> sequence{};
    std::optional<std::uint64_t> timestamp_ns{};
    std::variant<stream_id, std::string> stream = no_stream_id;  // or its name
    std::string type{};                                          // a name, or a number as text
    std::optional<std::uint16_t> type_number{};
    std::optional<std::uint16_t> schema_version{};
    bool more_in_batch = false;
    struct entry {
        metadata_tag tag{};
        std::vector<std::byte> value{};
        bool critical = false;
        // Of tags that are given by name, which stand in `value` as 0: place in the list, and name.
        std::vector<std::pair<std::size_t, std::string>> names{};
    };
    std::vector<entry> metadata{};
    std::string_view json{};                          // the event, if the line has one
    std::size_t column = 0;                           // of `json`
    std::optional<std::vector<std::byte>> payload{};  // otherwise
    bool exact = false;                               // the line is of an exact dump
};

struct name_line {
    recorded_name named{};
};
struct description_line {
    recorded_description described{};
};
using append_line = std::variant<event_line, name_line, description_line>;

// Fails with invalid_argument, naming column and member.
[[nodiscard]] result<append_line> read_dump_line(std::string_view text);

}  // namespace pawl::cli
