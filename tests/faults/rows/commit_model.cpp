// Row 10, second part: spin explores every interleaving of a model of the commit protocol. The
// states that it reports are counted; first it must find each wrong order that is planted in the
// model.
#include "support/row_program.hpp"

#include <fmt/core.h>
#include <sys/wait.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

struct exploration {
    bool ran = false;
    std::uint64_t states = 0;
    std::uint64_t errors = 0;
};

[[nodiscard]] bool shell(const std::string& command) {
    const int status = std::system(command.c_str());
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

[[nodiscard]] std::uint64_t number_in(std::string_view text) {
    std::uint64_t number = 0;
    const auto at = text.find_first_of("0123456789");
    if (at != std::string_view::npos)
        std::from_chars(text.data() + at, text.data() + text.size(), number);
    return number;
}

// `define` is empty for the protocol as it is.
[[nodiscard]] exploration explore(const fs::path& directory, const std::string& define) {
    const fs::path home = directory / (define.empty() ? "right" : define);
    fs::create_directories(home);
    const std::string flag = define.empty() ? "" : "-D" + define;
    // If its depth limit cuts the search short, states are left out, and pan reports that.
    const bool ran = shell(fmt::format(
        "cd '{}' && spin {} -a '{}/model/commit.pml' >spin.log 2>&1 && cc -O2 -w -DSAFETY "
        "-DCOLLAPSE -o pan pan.c >cc.log 2>&1 && ./pan -m1000000 >pan.log 2>&1",
        home.string(), flag, PAWL_FAULTS_DIR));
    exploration found;
    std::ifstream log{home / "pan.log"};
    bool judged = false;
    bool whole = true;
    for (std::string line; std::getline(log, line);) {
        if (line.find("states, stored") != std::string::npos)
            found.states = number_in(line);
        whole = whole && line.find("max search depth too small") == std::string::npos;
        if (const auto at = line.find("errors:"); at != std::string::npos) {
            found.errors = number_in(std::string_view{line}.substr(at));
            judged = true;
        }
    }
    found.ran = ran && judged && (whole || found.errors != 0);
    return found;
}

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 10, .name = "commit_model", .counted = "states"}, argc, argv};
    program.target({.quick = 1'000'000, .ci = 1'000'000, .full = 1'000'000});
    if (!shell("command -v spin cc >/dev/null 2>&1")) {
        program.skip("no spin, or no C compiler");
        return program.finish();
    }
    constexpr std::array planted{"EARLY_COMMIT", "NO_CLEAR", "EARLY_PUBLISH", "EARLY_END"};
    for (const char* define : planted) {
        const auto wrong = explore(program.directory(), define);
        if (!wrong.ran || wrong.errors == 0)
            program.failure("", fmt::format("the planted {} was not found", define));
    }
    const auto right = explore(program.directory(), "");
    program.count(right.states);
    if (!right.ran)
        program.failure("", "the model was not explored to its end");
    if (right.errors != 0)
        program.failure("", "an interleaving breaks an assertion of the model");
    program.detail(
        fmt::format("all states of the model; {} planted wrong orders found", planted.size()));
    return program.finish();
}
