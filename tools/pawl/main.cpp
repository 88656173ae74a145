#include "command_line.hpp"

#include <csignal>

int main(int argc, char** argv) {
    // If the reader of our output exits, end quietly, even if our parent process ignores the
    // signal.
    std::signal(SIGPIPE, SIG_DFL);
    return pawl::cli::run(argc, argv);
}
