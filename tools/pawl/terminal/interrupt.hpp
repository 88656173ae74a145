// Ctrl-C and termination for commands that write one line per event: they end after a complete
// line.
#pragma once

namespace pawl::cli {

// Catches SIGINT and SIGTERM for the rest of the process. The signal interrupts a waiting system
// call.
void catch_interrupts();

// True once one of them has arrived.
[[nodiscard]] bool interrupted() noexcept;

// Ends the process by the signal that arrived, so that a shell sees the cause; returns if none has.
// Standard output must have been flushed.
void die_of_interrupt();

}  // namespace pawl::cli
