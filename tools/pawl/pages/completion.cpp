#include "pages/completion.hpp"

#include <fmt/format.h>

#include <string_view>
#include <vector>

namespace pawl::cli {

namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
    return app.get_subcommands([](const CLI::App* sub) { return !sub->get_name().empty(); });
}

// Also those in groups, and those that the whole program has in common.
std::vector<const CLI::Option*> options_of(const CLI::App& command) {
    const auto named = [](const CLI::Option* option) { return option->nonpositional(); };
    std::vector<const CLI::Option*> options = command.get_options(named);
    for (const CLI::App* group :
         command.get_subcommands([](const CLI::App* sub) { return sub->get_name().empty(); })) {
        for (const CLI::Option* option : group->get_options(named))
            options.push_back(option);
    }
    return options;
}

bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_max() != 0;
}

// What follows an option: words to choose from, or files; nothing if neither is known.
std::string_view words_after(const CLI::Option& option) {
    return option.get_type_name() == "FORMAT" ? "json table csv" : "";
}
bool takes_path(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    return type == "FILE" || type == "OUT" || type == "DB" || type == "KEY";
}

std::vector<std::string> names_of(const CLI::Option& option) {
    std::vector<std::string> names;
    for (const std::string& name : option.get_lnames())
        names.push_back("--" + name);
    for (const std::string& name : option.get_snames())
        names.push_back("-" + name);
    return names;
}

// One case of the shell's `case`, for a command and each of its own.
void add_bash_case(std::string& text, const CLI::App& command, const std::string& path) {
    std::string options;
    std::string commands;
    std::string values;
    for (const CLI::Option* option : options_of(command)) {
        for (const std::string& name : names_of(*option)) {
            options += (options.empty() ? "" : " ") + name;
            if (!takes_value(*option))
                continue;
            const std::string_view words = words_after(*option);
            values += fmt::format("                {}) {} ;;\n", name,
                                  takes_path(*option) ? "_pawl_files; return"
                                  : words.empty()     ? std::string{"COMPREPLY=(); return"}
                                                  : fmt::format("_pawl_words '{}'; return", words));
        }
    }
    for (const CLI::App* each : commands_of(command))
        commands += (commands.empty() ? "" : " ") + each->get_name();
    text += fmt::format(
        "        '{}')\n"
        "            case $before in\n"
        "{}"
        "            esac\n"
        "            options='{}' commands='{}'\n"
        "            ;;\n",
        path, values, options, commands);
    for (const CLI::App* each : commands_of(command))
        add_bash_case(text, *each, path.empty() ? each->get_name() : path + " " + each->get_name());
}

// For between single quotes, inside the brackets and braces of zsh's specifications.
std::string zsh_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\'')
            out += "'\\''";
        else if (c == '[' || c == ']' || c == ':' || c == '\\')
            out += std::string{'\\', c};
        else
            out += c;
    }
    return out;
}

void add_zsh_function(std::string& text, const CLI::App& command, const std::string& function) {
    std::string specifications;
    for (const CLI::Option* option : options_of(command)) {
        for (const std::string& name : names_of(*option)) {
            specifications +=
                fmt::format("        '{}[{}]", name, zsh_text(option->get_description()));
            if (takes_value(*option)) {
                const std::string_view words = words_after(*option);
                specifications += fmt::format(":{}:{}", zsh_text(option->get_type_name()),
                                              takes_path(*option) ? std::string{"_files"}
                                              : words.empty()     ? std::string{" "}
                                                                  : fmt::format("({})", words));
            }
            specifications += "' \\\n";
        }
    }
    const auto commands = commands_of(command);
    text += fmt::format("{}() {{\n", function);
    if (commands.empty()) {
        text +=
            fmt::format("    _arguments -s \\\n{}        '*:file:_files'\n}}\n\n", specifications);
        return;
    }
    text += "    local context state state_descr line\n    typeset -A opt_args\n";
    text += fmt::format(
        "    _arguments -s -C \\\n{}        '1: :->command' \\\n        '*:: :->rest'\n"
        "    case $state in\n        command)\n            local -a commands=(\n",
        specifications);
    for (const CLI::App* each : commands)
        text += fmt::format("                '{}:{}'\n", each->get_name(),
                            zsh_text(each->get_description()));
    text += "            )\n            _describe command commands\n";
    if (command.get_parent() != nullptr)
        text += "            _files\n";
    text += "            ;;\n        rest)\n            case $line[1] in\n";
    for (const CLI::App* each : commands)
        text += fmt::format("                {}) {}_{} ;;\n", each->get_name(), function,
                            each->get_name());
    text += "                *) _files ;;\n            esac\n            ;;\n    esac\n}\n\n";
    for (const CLI::App* each : commands)
        add_zsh_function(text, *each, function + "_" + each->get_name());
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
    std::string cases;
    add_bash_case(cases, app, "");
    return fmt::format(
        R"(# Completion of pawl for bash: source <(pawl completion bash)
_pawl_words() {{
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current")
}}
_pawl_files() {{
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
}}
_pawl() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} before='' path='' options='' commands='' word i
    ((COMP_CWORD > 1)) && before=${{COMP_WORDS[COMP_CWORD - 1]}}
    for ((i = 1; i < COMP_CWORD; ++i)); do
        word=${{COMP_WORDS[i]}}
        case "$path $word" in
{}            *) ;;
        esac
    done
    COMPREPLY=()
    case $path in
{}    esac
    if [[ $current == -* ]]; then
        _pawl_words "$options"
    elif [[ $path == '' ]]; then
        _pawl_words "$commands"
    else
        _pawl_files
        local -a more
        mapfile -t more < <(compgen -W "$commands" -- "$current")
        COMPREPLY+=("${{more[@]}}")
    fi
}}
complete -F _pawl pawl
)",
        [&] {
            std::string paths;
            const auto add = [&](const auto& self, const CLI::App& command,
                                 const std::string& path) -> void {
                for (const CLI::App* each : commands_of(command)) {
                    const std::string next =
                        path.empty() ? each->get_name() : path + " " + each->get_name();
                    paths += fmt::format("            '{} {}') path='{}' ;;\n", path,
                                         each->get_name(), next);
                    self(self, *each, next);
                }
            };
            add(add, app, "");
            return paths;
        }(),
        cases);
}

std::string zsh_completion(const CLI::App& app) {
    std::string text =
        "#compdef pawl\n"
        "# Completion of pawl for zsh: pawl completion zsh > DIRECTORY-IN-FPATH/_pawl\n\n";
    add_zsh_function(text, app, "_pawl");
    return text + "_pawl \"$@\"\n";
}

}  // namespace pawl::cli
