// Ctrl-C and termination for commands that write a line an event: they end behind a whole line.
#pragma once

namespace pawl::cli {

// Catches SIGINT and SIGTERM for the rest of the process. A system call that waits then returns.
void catch_interrupts();

// True once one of them has come.
[[nodiscard]] bool interrupted() noexcept;

// Ends the process by the signal that came, so that a shell sees what happened; returns where none
// has come. Standard output must have been flushed.
void die_of_interrupt();

}  // namespace pawl::cli
