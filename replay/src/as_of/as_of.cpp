#include "follow/log_places.hpp"

#include <pawl/codec/utc_time.hpp>
#include <pawl/replay/as_of.hpp>

#include <charconv>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

namespace pawl {

result<as_of_place> parse_as_of_place(const std::filesystem::path& directory,
                                      std::string_view text) {
    sequence_number sequence = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), sequence);
    if (read.ec == std::errc{} && read.ptr == text.data() + text.size())
        return at_sequence{sequence};
    const auto ns = find_time(directory, text);
    if (!ns)
        return std::unexpected(ns.error());
    return at_time{*ns};
}

namespace detail {

namespace {

struct start_of {
    start operator()(at_sequence at) const { return from_sequence{at.sequence}; }
    start operator()(at_time at) const {
        if (at.ns == std::numeric_limits<std::uint64_t>::max())
            return from_end{};
        return from_time{at.ns + 1};
    }
    start operator()(const at_point& at) const { return from_point{at.point, at.taken_in}; }
};

}  // namespace

result<log_point> find_as_of(const std::filesystem::path& directory, const as_of_place& place,
                             const restore_options& options) {
    const start from = std::visit(start_of{}, place);
    // as_of itself refuses a place that it may not read up to.
    const bool at_end = std::holds_alternative<from_end>(from);
    auto found = find_position({.directory = directory,
                                .from = from,
                                .show = at_end ? options.show : visibility::published,
                                .allow_network_file_system = options.allow_network_file_system});
    if (!found)
        return std::unexpected(std::move(found.error()));
    return found->point;
}

error not_reached(const std::filesystem::path& directory, sequence_number wanted,
                  sequence_number reached) {
    return error{
        .code = errc::not_found,
        .sequence = wanted,
        .file = directory.string(),
        .detail = "the events that may be read end at sequence " + std::to_string(reached)};
}

}  // namespace detail

}  // namespace pawl
