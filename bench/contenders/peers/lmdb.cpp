// LMDB with a writable map, appending in key order, which its documentation recommends for speed.

#include "contenders/peers/peer.hpp"
#include "contenders/raw_log.hpp"
#include "measure/failure.hpp"

#include <lmdb.h>

#include <cstring>
#include <string>
#include <utility>

namespace bench {
namespace {

void check(int code) {
    if (code != MDB_SUCCESS) {
        throw failure(std::string("lmdb: ") + mdb_strerror(code));
    }
}

// The file is sparse, so it costs nothing until it is written.
constexpr std::size_t map_bytes = std::size_t{16} << 30;

class lmdb_peer final : public peer {
  public:
    lmdb_peer(const std::filesystem::path& directory, peer_sync sync, bool checksum)
        : sync_(sync == peer_sync::full), checksum_(checksum) {
        check(mdb_env_create(&environment_));
        check(mdb_env_set_mapsize(environment_, map_bytes));
        const unsigned flags = MDB_WRITEMAP | (sync_ ? 0U : unsigned{MDB_NOSYNC});
        check(mdb_env_open(environment_, directory.c_str(), flags, 0600));
        MDB_txn* transaction = nullptr;
        check(mdb_txn_begin(environment_, nullptr, 0, &transaction));
        check(mdb_dbi_open(transaction, nullptr, 0, &table_));
        check(mdb_txn_commit(transaction));
    }
    ~lmdb_peer() override { mdb_env_close(environment_); }

    void append(const payloads& events, std::uint64_t first, std::uint64_t count) override {
        MDB_txn* transaction = nullptr;
        check(mdb_txn_begin(environment_, nullptr, 0, &transaction));
        for (std::uint64_t i = first; i < first + count; ++i) {
            const auto payload = events.at(i);
            const std::size_t skip = checksum_ ? 8 : 0;
            std::uint64_t key_bytes = __builtin_bswap64(i);
            MDB_val key{sizeof key_bytes, &key_bytes};
            // Reserve space first and write the bytes directly into the page: this saves one copy.
            MDB_val value{payload.size() + skip, nullptr};
            check(mdb_put(transaction, table_, &key, &value, MDB_APPEND | MDB_RESERVE));
            auto* to = static_cast<std::byte*>(value.mv_data);
            if (checksum_) {
                const auto hash = XXH3_64bits(payload.data(), payload.size());
                std::memcpy(to, &hash, 8);
            }
            std::memcpy(to + skip, payload.data(), payload.size());
        }
        check(mdb_txn_commit(transaction));
    }

    std::uint64_t replay(const std::function<void(std::span<const std::byte>)>& visit) override {
        MDB_txn* transaction = nullptr;
        check(mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &transaction));
        MDB_cursor* cursor = nullptr;
        check(mdb_cursor_open(transaction, table_, &cursor));
        MDB_val key;
        MDB_val value;
        std::uint64_t count = 0;
        int code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
        for (; code == MDB_SUCCESS; code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
            std::span bytes(static_cast<const std::byte*>(value.mv_data), value.mv_size);
            if (checksum_) {
                std::uint64_t hash = 0;
                std::memcpy(&hash, bytes.data(), 8);
                bytes = bytes.subspan(8);
                if (hash != XXH3_64bits(bytes.data(), bytes.size())) {
                    throw failure("lmdb: an event does not have its checksum");
                }
            }
            visit(bytes);
            ++count;
        }
        mdb_cursor_close(cursor);
        mdb_txn_abort(transaction);
        if (code != MDB_NOTFOUND) {
            check(code);
        }
        return count;
    }

    [[nodiscard]] std::string options() const override {
        return std::string("MDB_WRITEMAP") + (sync_ ? "" : " | MDB_NOSYNC") +
               ", MDB_APPEND | MDB_RESERVE, map of 16 GiB" +
               (checksum_ ? ", XXH3-64 in front of every value" : "");
    }
    [[nodiscard]] guarantees keeps() const override {
        return {.survives_kill = true, .survives_power_loss = sync_, .checksummed = checksum_};
    }

  private:
    bool sync_;
    bool checksum_;
    MDB_env* environment_ = nullptr;
    MDB_dbi table_ = 0;
};

}  // namespace

std::unique_ptr<peer> open_lmdb(const std::filesystem::path& directory, peer_sync sync) {
    return std::make_unique<lmdb_peer>(directory, sync, false);
}

std::unique_ptr<peer> open_lmdb_with_checksum(const std::filesystem::path& directory,
                                              peer_sync sync) {
    return std::make_unique<lmdb_peer>(directory, sync, true);
}

}  // namespace bench
