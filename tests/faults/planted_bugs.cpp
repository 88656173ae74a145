// Row 12: each planted bug is found by the row that should find it, and the same command is green
// without the bug.
#include "planted.hpp"
#include "support/child_process.hpp"
#include "support/row_program.hpp"

#include <fmt/core.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace pawl::test;

namespace {

struct planted_line {
    std::string bug;
    std::string row;
    std::vector<std::string> command;
};

[[nodiscard]] std::vector<planted_line> read_list() {
    std::ifstream list{PAWL_FAULTS_DIR "/planted.txt"};
    std::vector<planted_line> lines;
    for (std::string text; std::getline(list, text);) {
        if (text.empty() || text.front() == '#')
            continue;
        std::istringstream words{text};
        planted_line line;
        words >> line.bug >> line.row;
        for (std::string word; words >> word;)
            line.command.push_back(word);
        lines.push_back(std::move(line));
    }
    return lines;
}

[[nodiscard]] std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words)
        text += (text.empty() ? "" : " ") + word;
    return text;
}

#ifdef PAWL_PLANTED_BUGS
constexpr bool bugs_are_here = true;
#else
constexpr bool bugs_are_here = false;
#endif

class catcher {
  public:
    explicit catcher(row_program& program) : program_{program} {}

    void run(const planted_line& line) {
        if (!passes_without(line.command)) {
            program_.failure("", fmt::format("{} fails without any bug", joined(line.command)));
            return;
        }
        ::setenv("PAWL_PLANTED_BUG", line.bug.c_str(), 1);
        const auto ran = run_program(line.command);
        ::unsetenv("PAWL_PLANTED_BUG");
        const std::string last = ran.last_line();
        const bool found = ran.exit_status == 1 &&
                           last.find("\"failures\":0,") == std::string::npos &&
                           last.starts_with("{");
        fmt::print(stderr, "{:<22} row {:>2}  {:<8} {}\n", line.bug, line.row,
                   found ? "caught" : "MISSED", value_of(last, "detail"));
        if (found) {
            program_.count();
        } else {
            program_.failure("", fmt::format("{} was not found by {}, which ended with {}",
                                             line.bug, joined(line.command), ran.exit_status));
        }
    }

  private:
    [[nodiscard]] bool passes_without(const std::vector<std::string>& command) {
        const std::string key = joined(command);
        if (known_green_.contains(key))
            return true;
        if (run_program(command).exit_status != 0)
            return false;
        known_green_.insert(key);
        return true;
    }

    [[nodiscard]] static std::string value_of(const std::string& json, const std::string& name) {
        const auto at = json.find("\"" + name + "\":\"");
        if (at == std::string::npos)
            return {};
        const auto begin = at + name.size() + 4;
        return json.substr(begin, json.find('"', begin) - begin);
    }

    row_program& program_;
    std::set<std::string> known_green_;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 12, .name = "planted_bugs", .counted = "bugs caught"}, argc, argv};
    const auto lines = read_list();
    program.target({.quick = lines.size(), .ci = lines.size(), .full = lines.size()});
    if (!bugs_are_here) {
        program.skip("this build holds no planted bugs; the preset 'planted' does");
        return program.finish();
    }
    catcher catching{program};
    for (const auto& line : lines)
        catching.run(line);
    return program.finish();
}
