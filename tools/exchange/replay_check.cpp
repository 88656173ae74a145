// Does this version of the engine fold a journal into the books that another version had?
#include "engine.hpp"
#include "report.hpp"
#include "subcommands.hpp"

#include <pawl/replay/replay_check.hpp>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace exchange {
namespace {

int record(const replay_check_options& options) {
    const auto marks = pawl::record_states<engine>(
        options.directory, {}, {.every = options.every, .from = options.from, .to = options.to});
    if (!marks)
        return complain(marks.error());
    std::ofstream out{options.marks, std::ios::trunc};
    out << pawl::to_text(*marks) << std::flush;
    if (!out)
        return complain({.code = pawl::errc::io,
                         .file = options.marks.string(),
                         .detail = "cannot write the recording"});
    return print({{"recorded", marks->size()}}, options.json);
}

int compare(const replay_check_options& options) {
    std::ifstream in{options.marks};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (!in.is_open())
        return complain({.code = pawl::errc::io,
                         .file = options.marks.string(),
                         .detail = "cannot read the recording"});
    auto marks = pawl::parse_state_marks(text);
    if (!marks) {
        marks.error().file = options.marks.string();
        return complain(marks.error());
    }
    const auto check = pawl::replay_check<engine>(options.directory, *marks);
    if (!check)
        return complain(check.error());
    return print({{"same", check->same()}, {"marks", check->marks}, {"result", check->message()}},
                 options.json, check->same() ? 0 : 1);
}

}  // namespace

int replay_check(const replay_check_options& options) {
    return options.record ? record(options) : compare(options);
}

}  // namespace exchange
