// A journal that grows by long events, driven by hand, so that whole segments soon can be pruned.
#pragma once

#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <pawl/journal/writer.hpp>

#include <filesystem>
#include <string>

namespace pawl::test {

struct growing_journal {
    temporary_directory home;
    std::filesystem::path directory = home.path() / "journal";
    writer_options options = by_hand();
    sequence_number events = 0;

    growing_journal() { options.clock = clock_source::caller; }
    [[nodiscard]] writer open() const { return must(writer::open(directory, options)); }
    // Event n is 1,000 bytes long and of the time 1000 + n.
    void append(writer& log, stream_id stream) {
        std::string text = "event " + std::to_string(log.next_sequence());
        text.resize(1000, '.');
        (void)must(log.append({.type = 1, .stream = stream, .timestamp_ns = 1000 + events},
                              bytes_of(text)));
        ++events;
    }
};

}  // namespace pawl::test
