#include "commands/commands.hpp"
#include "pages/man_page.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

namespace pawl::cli {

namespace {

exit_code write_pages(const CLI::App& command, const std::filesystem::path& into) {
    const std::filesystem::path file = into / (page_name(command) + ".1");
    std::ofstream out{file, std::ios::binary | std::ios::trunc};
    out << man_page(command);
    if (!out.flush()) {
        complain(fmt::format("cannot write {}: {}", file.string(), std::strerror(errno)));
        return failure;
    }
    for (const CLI::App* each :
         command.get_subcommands([](const CLI::App* sub) { return !sub->get_name().empty(); })) {
        if (const exit_code code = write_pages(*each, into); code != success)
            return code;
    }
    return success;
}

}  // namespace

exit_code man_command(const man_options& options, const CLI::App& all) {
    if (!options.into.empty())
        return write_pages(all, options.into);
    const CLI::App* command = &all;
    for (const std::string& name : options.command) {
        const auto named = command->get_subcommands(
            [&](const CLI::App* sub) { return !name.empty() && sub->get_name() == name; });
        if (named.empty()) {
            complain(fmt::format("there is no command '{}'; see pawl --help", name));
            return wrong_usage;
        }
        command = named.front();
    }
    put(man_page(*command));
    return success;
}

}  // namespace pawl::cli
