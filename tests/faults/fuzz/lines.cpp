// A line of JSON as `pawl append` takes it. What it accepts lies in the line, and is a value that a
// journal can hold.
#include "targets.hpp"

#include <append/append_line.hpp>

#include <string_view>
#include <variant>

namespace pawl::test {

namespace {

void check(const cli::event_line& line, std::string_view text) {
    demand(line.payload.has_value() == line.json.empty());
    if (!line.json.empty()) {
        demand(line.json.data() >= text.data() &&
               line.json.data() + line.json.size() <= text.data() + text.size());
        demand(line.column == static_cast<std::size_t>(line.json.data() - text.data()) + 1);
    }
}
void check(const cli::name_line&, std::string_view) {}
void check(const cli::description_line&, std::string_view) {}

}  // namespace

void fuzz_lines(fuzz_input input) {
    const exact_copy copy{input};
    const std::string_view text{reinterpret_cast<const char*>(copy.bytes().data()),
                                copy.bytes().size()};
    const auto line = cli::read_dump_line(text);
    if (line)
        std::visit([&](const auto& one) { check(one, text); }, *line);
    else
        demand(line.error().code == errc::invalid_argument && !line.error().detail.empty());
}

}  // namespace pawl::test
