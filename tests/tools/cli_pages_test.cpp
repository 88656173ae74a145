// What pawl says of itself: manual pages, completion, version.
#include "cli_support.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace pawl::test;

namespace {

[[nodiscard]] bool has_program(const std::string& name) {
    return run({"/bin/sh", "-c", "command -v " + name}).exit_code == 0;
}

// What bash would offer after these words.
[[nodiscard]] std::vector<std::string> offered(const std::string& words) {
    const finished_process done =
        run({"/bin/bash", "-c",
             "source <('" + program + "' completion bash); cd /; COMP_WORDS=(pawl " + words +
                 "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _pawl; printf '%s\\n' "
                 "\"${COMPREPLY[@]}\""});
    INFO(done.err);
    REQUIRE(done.exit_code == 0);
    CHECK(done.err.empty());
    return lines_of(done.out);
}

[[nodiscard]] bool offers(const std::string& words, const std::string& word) {
    const auto all = offered(words);
    return std::ranges::find(all, word) != all.end();
}

}  // namespace

TEST_CASE("every command has a manual page, which troff takes without a warning") {
    const temporary_directory pages;
    REQUIRE(run_pawl({"man", "--into", pages.path()}).exit_code == 0);
    std::size_t files = 0;
    for (const auto& page : std::filesystem::directory_iterator{pages.path()}) {
        ++files;
        if (!has_program("groff"))
            continue;
        const finished_process checked =
            run({"/bin/sh", "-c", "groff -man -ww -z '" + page.path().string() + "'"});
        INFO(page.path() << ": " << checked.err);
        CHECK(checked.exit_code == 0);
        CHECK(checked.err.empty());
    }
    CHECK(files > 20);
    CHECK(std::filesystem::exists(pages.path() / "pawl.1"));
    CHECK(std::filesystem::exists(pages.path() / "pawl-consumers-drop.1"));
    CHECK(std::filesystem::exists(pages.path() / "pawl-check-schema.1"));

    const std::string verify = run_pawl({"man", "verify"}).out;
    CHECK(contains(verify, ".SH NAME\npawl\\-verify \\- Read every byte and list all damage\n"));
    CHECK(contains(verify, ".B \\-\\-deep\n"));
    CHECK(contains(verify, "  pawl verify \\-\\-deep \\-\\-json orders"));
    CHECK(contains(run_pawl({"man", "check-schema"}).out, ".B pawl check\\-schema\n"));
    CHECK(contains(run_pawl({"man", "prune"}).out, ".B \\-\\-keep\\-bytes SIZE\n"));
    CHECK(run_pawl({"man", "consumers", "drop"}).exit_code == 0);
    CHECK(run_pawl({"man", "nothing"}).exit_code == 2);
    CHECK(run_pawl({"man", "--into", "/nowhere/at/all"}).exit_code == 1);
}

TEST_CASE("bash completes commands, options, the values of some and files") {
    CHECK(offers("ver", "verify"));
    CHECK(offers("''", "check-schema"));
    CHECK_FALSE(offers("''", "--json"));
    CHECK(offers("dump --re", "--reverse"));
    CHECK(offers("dump --format c", "csv"));
    CHECK(offered("dump --last ''").front().empty());
    CHECK(offers("verify et", "etc"));
    CHECK(offers("consumers dr", "drop"));
    CHECK(offers("consumers drop --j", "--json"));
    CHECK(offers("prune --keep-b", "--keep-bytes"));
    CHECK(offers("dump --type order --ex", "--exact"));
    CHECK(run_pawl({"completion", "fish"}).exit_code == 2);
}

TEST_CASE("zsh takes its completion") {
    if (!has_program("zsh")) {
        WARN("skipped: zsh is not installed");
        return;
    }
    const finished_process checked =
        run({"/bin/sh", "-c", "'" + program + "' completion zsh | zsh -n /dev/stdin"});
    INFO(checked.err);
    CHECK(checked.exit_code == 0);
    CHECK(checked.err.empty());
}

TEST_CASE("the version names the journal's format and the compiler") {
    const finished_process done = run_pawl({"--version"});
    CHECK(done.exit_code == 0);
    const auto lines = lines_of(done.out);
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].starts_with("pawl 0."));
    CHECK(lines[1] == "journal format 1");
    CHECK(lines[2].starts_with("built with "));
}

TEST_CASE("an empty argument is wrong usage wherever it stands") {
    const sample_journal journal;
    journal.fill(3);
    const std::string at = journal.directory();
    for (const std::vector<std::string>& call :
         std::vector<std::vector<std::string>>{{"info", ""},
                                               {"dump", at, "--from", ""},
                                               {"dump", at, "--limit", ""},
                                               {"dump", at, "--since", ""},
                                               {"dump", at, "--last", ""},
                                               {"dump", at, "--stream", ""},
                                               {"dump", at, "--format", ""},
                                               {"tail", at, "-n", ""},
                                               {"streams", at, "--top", ""},
                                               {"sql", at, ""},
                                               {"sql", at, "--attach", ""},
                                               {"prune", at, "--keep", ""},
                                               {"prune", at, "--before", ""},
                                               {"append", at, "--batch", ""},
                                               {"projections", "retry", "x.db", "name", ""},
                                               {"recover", at, "--force-truncate", ""},
                                               {"completion", ""},
                                               {"man", ""}}) {
        const finished_process done = run_pawl(call);
        INFO(call[0] << " " << call.back() << ": " << done.err);
        CHECK(done.exit_code == 2);
        CHECK(done.out.empty());
        CHECK(contains(done.err, "must not be empty"));
    }
}
