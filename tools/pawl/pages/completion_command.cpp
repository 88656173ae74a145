#include "commands/commands.hpp"
#include "pages/completion.hpp"
#include "terminal/output.hpp"

namespace pawl::cli {

exit_code completion_command(const completion_options& options, const CLI::App& all) {
    put(options.shell == "bash" ? bash_completion(all) : zsh_completion(all));
    return success;
}

}  // namespace pawl::cli
