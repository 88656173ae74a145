// A journal with events for named readers, and a look into their files.
#pragma once

#include "../support/temporary_directory.hpp"
#include "journal_support.hpp"

#include <pawl/journal/consumer.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace pawl::test {

struct consumed_journal {
    temporary_directory home;
    std::filesystem::path directory = home.path() / "j";

    consumed_journal() { append(10); }

    void append(std::uint64_t events) const {
        auto log = must(writer::open(directory, small_segments()));
        append_numbered(log, events);
        must(log.close());
    }
    [[nodiscard]] std::filesystem::path file(const std::string& name) const {
        return directory / "consumers" / name;
    }
    [[nodiscard]] std::string bytes(const std::string& name) const {
        std::ifstream from{file(name), std::ios::binary};
        return {std::istreambuf_iterator<char>{from}, {}};
    }
    void put(const std::string& name, const std::string& bytes) const {
        std::ofstream{file(name), std::ios::binary | std::ios::trunc} << bytes;
    }
    [[nodiscard]] consumer_position at(sequence_number next) const {
        if (next == 0)
            return {};
        auto events = must(cursor::open(directory, {.from = from_sequence{next - 1}}));
        const event* e = events.next();
        REQUIRE(e != nullptr);
        return {e->point(), e->timestamp_ns()};
    }
    [[nodiscard]] consumer_info only() const {
        const auto list = must(list_consumers(directory));
        REQUIRE(list.unreadable.empty());
        REQUIRE(list.consumers.size() == 1);
        return list.consumers.front();
    }
    // Fills `segments` segments.
    void grow(std::uint64_t segments) const {
        auto log = must(writer::open(directory, small_segments()));
        const std::string text(1000, 'x');
        for (std::uint64_t i = 0; i < segments * 64; ++i)
            (void)must(log.append({.type = 1}, bytes_of(text)));
        must(log.close());
    }
};

inline consumer open_it(const consumed_journal& journal, consumer_options options = {}) {
    return must(consumer::open(journal.directory, "risk", std::move(options)));
}

}  // namespace pawl::test
