// Programs that know nothing of Pawl open a journal: the sqlite3 shell, and Python.
#include "described_journal.hpp"

#include <catch2/catch.hpp>

using namespace pawl::test;

namespace {

#ifdef PAWL_SQLITE_EXTENSION_FILE
const std::string extension = PAWL_SQLITE_EXTENSION_FILE;
#else
const std::string extension;
#endif

struct trades : described_journal {
    trades() {
        for (std::uint64_t i = 0; i < 20; ++i)
            fill("2026-11-23T14:00", 7, i + 1, static_cast<std::int64_t>(100 + i));
        close();
    }
};

[[nodiscard]] bool succeeds(const std::string& command) {
    return run({"bash", "-c", command}).exit_code == 0;
}

// The script, with E for the extension without its suffix and J for the journal.
[[nodiscard]] std::string filled_in(std::string script, const trades& journal) {
    const auto put = [&](const std::string& name, const std::string& value) {
        for (std::size_t at = script.find(name); at != std::string::npos;
             at = script.find(name, at + value.size()))
            script.replace(at, name.size(), value);
    };
    put("@E", extension.substr(0, extension.rfind('.')));
    put("@J", journal.directory());
    return script;
}

}  // namespace

TEST_CASE("the sqlite3 shell opens a journal through the loadable extension") {
    if (extension.empty()) {
        WARN("skipped: this build has no extension, or sanitizers in it");
        return;
    }
    if (!succeeds("command -v sqlite3")) {
        WARN("skipped: no sqlite3 (package sqlite3)");
        return;
    }
    const trades journal;
    const finished_process done =
        run({"bash", "-c",
             filled_in("sqlite3 :memory: '.load @E' \"select pawl_attach('@J') is not null\" "
                       "'select count(*), sum(price) from filled' "
                       "\"select pawl_attach('@J', 'other') is not null\" "
                       "\"select count(*) from other.events where stream = '7'\" "
                       "\"create virtual table f using pawl('@J', 'filled')\" "
                       "'select max(price) from f' "
                       "\"select count(*) from f where time < '14:00:01'\"",
                       journal)});
    INFO(done.err);
    CHECK(done.out == "1\n20|2190\n1\n20\n119\n20\n");
    const finished_process none =
        run({"bash", "-c",
             filled_in("sqlite3 :memory: '.load @E' \"select pawl_attach('@J-none')\"", journal)});
    CHECK(none.exit_code != 0);
    CHECK(contains(none.err, "not_a_journal"));
}

TEST_CASE("Python's sqlite3 module opens a journal through the loadable extension") {
    if (extension.empty()) {
        WARN("skipped: this build has no extension, or sanitizers in it");
        return;
    }
    // An interpreter may be built without loadable extensions.
    std::string python;
    for (const std::string candidate : {"python3", "/usr/bin/python3"})
        if (python.empty() && succeeds(candidate + " -c 'import sqlite3; "
                                                   "sqlite3.connect(\":memory:\")."
                                                   "enable_load_extension(True)'"))
            python = candidate;
    if (python.empty()) {
        WARN("skipped: no Python whose sqlite3 module loads extensions (package python3)");
        return;
    }
    const trades journal;
    const std::string script = filled_in(
        "import sqlite3\n"
        "for i in range(2):\n"
        "    db = sqlite3.connect(':memory:')\n"
        "    db.enable_load_extension(True)\n"
        "    db.load_extension('@E')\n"
        "    db.execute('select pawl_attach(?)', ['@J']).fetchall()\n"
        "    print(db.execute('select count(*), sum(price) from filled where price > ?',\n"
        "                     [109]).fetchall())\n"
        "    db.close()\n",
        journal);
    const finished_process done = run({python, "-c", script});
    CHECK(done.err.empty());
    CHECK(done.out == "[(10, 1145)]\n[(10, 1145)]\n");
}
