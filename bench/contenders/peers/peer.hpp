#pragma once

#include "measure/payloads.hpp"
#include "measure/row.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace bench {

// How a peer syncs a transaction, write or batch.
enum class peer_sync { none, normal, full };

// A store that keeps events in order: the key or position is the event's sequence, the value only
// its payload. (Pawl's event also carries time, stream, version, type and a checksum, so the peers
// do less.)
class peer {
  public:
    peer() = default;
    peer(const peer&) = delete;
    peer& operator=(const peer&) = delete;
    virtual ~peer() = default;

    // Appends `count` events from `first` as one transaction, write or batch, with the sync that
    // the peer was opened with.
    virtual void append(const payloads& events, std::uint64_t first, std::uint64_t count) = 0;

    // Reads all events in order, verifies the peer's checksum if it has one, and passes each
    // payload to `visit`. Returns the number of events.
    virtual std::uint64_t replay(const std::function<void(std::span<const std::byte>)>& visit) = 0;

    // The settings that differ from the peer's defaults.
    [[nodiscard]] virtual std::string options() const = 0;
    // The peer's guarantees for an appended event.
    [[nodiscard]] virtual guarantees keeps() const = 0;
};

// A peer, and the function that opens it in a directory and creates it if it does not exist.
struct peer_kind {
    std::string name;
    std::function<std::unique_ptr<peer>(const std::filesystem::path&, peer_sync)> open;
};

[[nodiscard]] std::unique_ptr<peer> open_rocksdb(const std::filesystem::path& directory,
                                                 peer_sync sync);
[[nodiscard]] std::unique_ptr<peer> open_lmdb(const std::filesystem::path& directory,
                                              peer_sync sync);
// LMDB with an XXH3-64 before every value, computed on append and checked on replay.
[[nodiscard]] std::unique_ptr<peer> open_lmdb_with_checksum(const std::filesystem::path& directory,
                                                            peer_sync sync);
[[nodiscard]] std::unique_ptr<peer> open_sqlite(const std::filesystem::path& directory,
                                                peer_sync sync);
// Only write(2) of Pawl's frame, header and payload: no mapping, no population.
[[nodiscard]] std::unique_ptr<peer> open_plain_file(const std::filesystem::path& directory,
                                                    peer_sync sync);

}  // namespace bench
