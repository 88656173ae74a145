// RocksDB as its tuning guide advises: its basic settings and ascending keys, but no compression,
// because no other contender compresses.

#include "contenders/peers/peer.hpp"
#include "measure/failure.hpp"

#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include <bit>
#include <cstring>

namespace bench {
namespace {

void check(const rocksdb::Status& status) {
    if (!status.ok()) {
        throw failure("rocksdb: " + status.ToString());
    }
}

class rocksdb_peer final : public peer {
  public:
    rocksdb_peer(const std::filesystem::path& directory, peer_sync sync)
        : sync_(sync == peer_sync::full) {
        rocksdb::Options settings;
        settings.create_if_missing = true;
        settings.compression = rocksdb::kNoCompression;
        settings.level_compaction_dynamic_level_bytes = true;
        settings.bytes_per_sync = 1 << 20;
        settings.max_background_jobs = 2;
        settings.compaction_pri = rocksdb::kMinOverlappingRatio;
        // One thread writes, so the memtable needs no concurrent inserts.
        settings.allow_concurrent_memtable_write = false;
        rocksdb::BlockBasedTableOptions table;
        table.block_size = std::size_t{16} * 1024;
        table.format_version = 5;
        table.cache_index_and_filter_blocks = true;
        table.pin_l0_filter_and_index_blocks_in_cache = true;
        settings.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
        rocksdb::DB* opened = nullptr;
        check(rocksdb::DB::Open(settings, directory.string(), &opened));
        database_.reset(opened);
        write_.sync = sync_;
    }

    void append(const payloads& events, std::uint64_t first, std::uint64_t count) override {
        if (count == 1) {
            const auto payload = events.at(first);
            check(database_->Put(write_, key_of(first), slice_of(payload)));
            return;
        }
        batch_.Clear();
        for (std::uint64_t i = first; i < first + count; ++i) {
            check(batch_.Put(key_of(i), slice_of(events.at(i))));
        }
        check(database_->Write(write_, &batch_));
    }

    std::uint64_t replay(const std::function<void(std::span<const std::byte>)>& visit) override {
        rocksdb::ReadOptions read;
        read.verify_checksums = true;
        read.fill_cache = false;
        read.readahead_size = 2 << 20;
        const std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator(read));
        std::uint64_t count = 0;
        for (at->SeekToFirst(); at->Valid(); at->Next(), ++count) {
            const auto value = at->value();
            visit({reinterpret_cast<const std::byte*>(value.data()), value.size()});
        }
        check(at->status());
        return count;
    }

    [[nodiscard]] std::string options() const override {
        return std::string("write-ahead log, sync=") + (sync_ ? "true" : "false") +
               ", no compression, dynamic level bytes, 16 KiB blocks, bytes_per_sync 1 MiB; "
               "replay: iterator, verify_checksums, read-ahead 2 MiB";
    }
    [[nodiscard]] guarantees keeps() const override {
        return {.survives_kill = true, .survives_power_loss = sync_, .checksummed = true};
    }

  private:
    [[nodiscard]] rocksdb::Slice key_of(std::uint64_t sequence) {
        key_ = __builtin_bswap64(sequence);
        return {reinterpret_cast<const char*>(&key_), sizeof key_};
    }
    [[nodiscard]] static rocksdb::Slice slice_of(std::span<const std::byte> bytes) {
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

    bool sync_;
    std::unique_ptr<rocksdb::DB> database_;
    rocksdb::WriteOptions write_;
    rocksdb::WriteBatch batch_;
    std::uint64_t key_ = 0;
};

}  // namespace

std::unique_ptr<peer> open_rocksdb(const std::filesystem::path& directory, peer_sync sync) {
    return std::make_unique<rocksdb_peer>(directory, sync);
}

}  // namespace bench
