#include "command_line.hpp"

#include <csignal>

int main(int argc, char** argv) {
    // A reader that goes away ends us quietly, even if whoever started us ignores the signal.
    std::signal(SIGPIPE, SIG_DFL);
    return pawl::cli::run(argc, argv);
}
