// The outcome of opening a journal for writing; uses a copy, because a recovery changes files.
#pragma once

#include "odd_journal.hpp"

#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>

#include <filesystem>

namespace golden {

// "closed" or "torn" with the number of events that the writer continues after, or the name of an
// error.
[[nodiscard]] inline outcome open_copy(const std::filesystem::path& journal,
                                       pawl::verify_at_open verify) {
    const pawl::test::temporary_directory home;
    const auto copy = home.path() / "j";
    std::filesystem::copy(journal, copy, std::filesystem::copy_options::recursive);
    pawl::writer_options options;
    options.create = false;
    options.verify = verify;
    options.sync = pawl::sync_policy::manual();
    options.background_threads = false;
    options.full = pawl::when_full::fail;
    const auto opened = pawl::writer::open(copy, options);
    if (!opened)
        return {.end = std::string{pawl::to_string(opened.error().code)},
                .failure = opened.error()};
    const bool torn = opened->recovery().state == pawl::found::torn_tail;
    return {.events = opened->next_sequence(), .end = torn ? "torn" : "closed"};
}

}  // namespace golden
