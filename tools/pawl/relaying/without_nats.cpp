// The commands that use a stream, in a build without NATS.
#include "commands/commands.hpp"
#include "terminal/output.hpp"

namespace pawl::cli {

namespace {

[[nodiscard]] exit_code left_out() {
    complain("this pawl was built without NATS (Debian package libnats-dev)");
    return wrong_usage;
}

}  // namespace

exit_code relay_command(const relay_command_options& /*options*/) {
    return left_out();
}
exit_code restore_stream_command(const restore_options& /*options*/) {
    return left_out();
}
exit_code follow_command(const replica_command_options& /*options*/) {
    return left_out();
}
exit_code promote_command(const replica_command_options& /*options*/) {
    return left_out();
}

}  // namespace pawl::cli
