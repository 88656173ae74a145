#include "pages/man_page.hpp"

#include <fmt/format.h>

#include <pawl/journal/version.hpp>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string_view>
#include <vector>

namespace pawl::cli {

namespace {

// Text that troff takes as it is.
std::string literal(std::string_view text) {
    std::string out = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
    for (const char c : text) {
        if (c == '\\')
            out += "\\e";
        else if (c == '-')
            out += "\\-";
        else
            out += c;
    }
    return out;
}

std::string call_of(const CLI::App& command) {
    std::string name = page_name(command);
    std::ranges::replace(name, '-', ' ');
    // A command whose own name has a hyphen.
    const std::string& own = command.get_name();
    return name.substr(0, name.size() - own.size()) + own;
}

bool is_shown(const CLI::Option* option) {
    return !option->get_group().empty();
}

// `-n,--lines COUNT`
std::string option_heading(const CLI::Option& option) {
    std::string text =
        option.get_positional() ? option.get_name(true) : option.get_name(false, true);
    if (!option.get_positional() && !option.get_type_name().empty())
        // Without what a validator adds.
        text += " " + option.get_type_name().substr(0, option.get_type_name().find(':'));
    return text;
}

std::vector<const CLI::Option*> options_of(const CLI::App& command) {
    std::vector<const CLI::Option*> options = command.get_options(is_shown);
    // Those in groups of their own.
    for (const CLI::App* group :
         command.get_subcommands([](const CLI::App* sub) { return sub->get_name().empty(); })) {
        for (const CLI::Option* option : group->get_options(is_shown)) {
            if (option != group->get_help_ptr())
                options.push_back(option);
        }
    }
    return options;
}

std::vector<const CLI::App*> commands_of(const CLI::App& command) {
    return command.get_subcommands([](const CLI::App* sub) { return !sub->get_name().empty(); });
}

std::string options_text(const CLI::App& command) {
    std::string text;
    for (const CLI::Option* option : options_of(command)) {
        text += fmt::format(".TP\n.B {}\n{}\n", literal(option_heading(*option)),
                            literal(option->get_description()));
        if (!option->get_default_str().empty())
            text += literal(fmt::format("Default: {}.", option->get_default_str())) + '\n';
    }
    return text;
}

// Paragraphs are filled; lines that are indented, as examples are, stay as they are.
std::string body_text(const std::string& manual) {
    std::string text;
    bool verbatim = false;
    std::istringstream lines{manual};
    for (std::string line; std::getline(lines, line);) {
        if (line.empty()) {
            text += verbatim ? ".EE\n.PP\n" : ".PP\n";
            verbatim = false;
            continue;
        }
        const bool indented = line.starts_with("  ");
        if (indented && !verbatim)
            text += ".PP\n.EX\n";
        else if (!indented && verbatim)
            text += ".EE\n";
        verbatim = indented;
        text += literal(line) + '\n';
    }
    return text + (verbatim ? ".EE\n" : "");
}

std::string synopsis(const CLI::App& command) {
    std::string text = ".B " + literal(call_of(command)) + "\n";
    if (command.get_parent() == nullptr)
        return text + ".I COMMAND\n";
    text += "[\\fIOPTIONS\\fR]";
    for (const CLI::Option* option : options_of(command)) {
        if (option->get_positional()) {
            const std::string name = "\\fI" + literal(option->get_name(true)) + "\\fR";
            text += option->get_required() ? " " + name : " [" + name + "]";
        }
    }
    return text + '\n';
}

}  // namespace

std::string page_name(const CLI::App& command) {
    const CLI::App* parent = command.get_parent();
    return parent == nullptr ? command.get_name() : page_name(*parent) + "-" + command.get_name();
}

std::string man_page(const CLI::App& command) {
    const std::string name = page_name(command);
    std::string title = name;
    std::ranges::transform(title, title.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    std::string text = fmt::format(
        ".TH {} 1 \"\" \"Pawl {}\" \"Pawl\"\n"
        ".SH NAME\n{} \\- {}\n"
        ".SH SYNOPSIS\n{}"
        ".SH DESCRIPTION\n{}"
        ".SH OPTIONS\n{}",
        literal(title), version(), literal(name), literal(command.get_description()),
        synopsis(command), body_text(command.get_footer()), options_text(command));
    if (const auto commands = commands_of(command); !commands.empty()) {
        text += ".SH COMMANDS\n";
        for (const CLI::App* each : commands)
            text += fmt::format(".TP\n.BR {} (1)\n{}\n", literal(page_name(*each)),
                                literal(each->get_description()));
    }
    if (const CLI::App* parent = command.get_parent())
        text += fmt::format(".SH SEE ALSO\n.BR {} (1)\n", literal(page_name(*parent)));
    return text;
}

}  // namespace pawl::cli
