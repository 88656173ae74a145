#include "rows/trials/store.hpp"

#include "measure/failure.hpp"

#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/frame.hpp>
#include <pawl/journal/writer.hpp>

#include <algorithm>

#if PAWL_BENCH_PEERS
#include "contenders/peers/peer.hpp"
#endif

namespace pawl::test {

namespace {

constexpr std::uint64_t batch_events = 64;

[[noreturn]] void say(const error& what) {
    throw bench::failure(what.message());
}

void write_pawl(const std::filesystem::path& directory, std::uint64_t wanted,
                std::uint64_t& there) {
    writer_options options;
    options.segment_bytes = std::uint64_t{1} << 20;
    auto log = writer::open(directory, options);
    if (!log)
        say(log.error());
    while (there < wanted) {
        const std::uint64_t end = std::min(there + batch_events, wanted);
        for (std::uint64_t i = there; i < end; ++i) {
            if (auto placed = log->append({.type = 1}, tried_events().at(i)); !placed)
                say(placed.error());
            there = i + 1;
        }
    }
    if (auto closed = log->close(); !closed)
        say(closed.error());
}

void read_pawl(const std::filesystem::path& directory, const tried_store::visitor& visit) {
    auto events = cursor::open(directory);
    if (!events)
        say(events.error());
    while (const event* e = events->next())
        visit(e->payload());
    if (auto end = events->finish(); !end)
        say(end.error());
}

#if PAWL_BENCH_PEERS
tried_store peer_of(const bench::peer_kind& kind, std::size_t header_bytes) {
    const auto write = [kind](const std::filesystem::path& directory, std::uint64_t wanted,
                              std::uint64_t& there) {
        std::filesystem::create_directory(directory);
        const auto opened = kind.open(directory, bench::peer_sync::normal);
        while (there < wanted) {
            const std::uint64_t count = std::min(batch_events, wanted - there);
            opened->append(tried_events(), there, count);
            there += count;
        }
    };
    const auto read = [kind](const std::filesystem::path& directory,
                             const tried_store::visitor& visit) {
        (void)kind.open(directory, bench::peer_sync::normal)->replay(visit);
    };
    return {.name = kind.name, .header_bytes = header_bytes, .write = write, .read = read};
}
#endif

}  // namespace

const bench::payloads& tried_events() {
    static const auto events = bench::payloads::of_size(64);
    return events;
}

std::vector<tried_store> tried_stores() {
    std::vector<tried_store> stores;
    stores.push_back({.name = "pawl",
                      .header_bytes = detail::frame_header_bytes,
                      .write = write_pawl,
                      .read = read_pawl});
#if PAWL_BENCH_PEERS
    // RocksDB: a length of one byte after the key's. LMDB: a node's flags and sizes, and the key.
    // SQLite: a record's sizes and types, after its row number.
    stores.push_back(peer_of({"rocksdb", bench::open_rocksdb}, 1));
    stores.push_back(peer_of({"lmdb", bench::open_lmdb}, 16));
    stores.push_back(peer_of({"sqlite", bench::open_sqlite}, 4));
#endif
    return stores;
}

}  // namespace pawl::test
