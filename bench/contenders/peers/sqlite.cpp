// SQLite with a write-ahead log, prepared statements, rows in key order, and one connection that
// locks the file exclusively.

#include "contenders/peers/peer.hpp"
#include "measure/failure.hpp"

#include <sqlite3.h>

#include <string>

namespace bench {
namespace {

class sqlite_peer final : public peer {
  public:
    sqlite_peer(const std::filesystem::path& directory, peer_sync sync) : sync_(sync) {
        check(sqlite3_open((directory / "events.sqlite").c_str(), &database_));
        execute("PRAGMA locking_mode=EXCLUSIVE");
        execute("PRAGMA journal_mode=WAL");
        execute("PRAGMA synchronous=" + mode());
        execute("PRAGMA cache_size=-65536");
        execute("PRAGMA mmap_size=17179869184");
        execute(
            "CREATE TABLE IF NOT EXISTS events(sequence INTEGER PRIMARY KEY, payload BLOB NOT "
            "NULL)");
        prepare("INSERT INTO events VALUES(?1, ?2)", &insert_);
        prepare("BEGIN IMMEDIATE", &begin_);
        prepare("COMMIT", &commit_);
        prepare("SELECT payload FROM events ORDER BY sequence", &select_);
    }
    ~sqlite_peer() override {
        for (auto* statement : {insert_, begin_, commit_, select_}) {
            sqlite3_finalize(statement);
        }
        sqlite3_close(database_);
    }

    void append(const payloads& events, std::uint64_t first, std::uint64_t count) override {
        // A statement outside a transaction is a transaction of its own.
        if (count > 1) {
            run(begin_);
        }
        for (std::uint64_t i = first; i < first + count; ++i) {
            const auto payload = events.at(i);
            sqlite3_bind_int64(insert_, 1, static_cast<sqlite3_int64>(i));
            sqlite3_bind_blob(insert_, 2, payload.data(), static_cast<int>(payload.size()),
                              SQLITE_STATIC);
            run(insert_);
        }
        if (count > 1) {
            run(commit_);
        }
    }

    std::uint64_t replay(const std::function<void(std::span<const std::byte>)>& visit) override {
        std::uint64_t count = 0;
        int code = sqlite3_step(select_);
        for (; code == SQLITE_ROW; code = sqlite3_step(select_), ++count) {
            const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(select_, 0));
            visit({data, static_cast<std::size_t>(sqlite3_column_bytes(select_, 0))});
        }
        sqlite3_reset(select_);
        if (code != SQLITE_DONE) {
            check(code);
        }
        return count;
    }

    [[nodiscard]] std::string options() const override {
        return "journal_mode=WAL, synchronous=" + mode() +
               ", locking_mode=EXCLUSIVE, cache 64 MiB, mmap_size 16 GiB, prepared statements";
    }
    [[nodiscard]] guarantees keeps() const override {
        return {.survives_kill = true,
                .survives_power_loss = sync_ == peer_sync::full,
                .checksummed = false};
    }

  private:
    [[nodiscard]] std::string mode() const {
        return sync_ == peer_sync::none ? "OFF" : sync_ == peer_sync::normal ? "NORMAL" : "FULL";
    }
    void check(int code) const {
        if (code != SQLITE_OK) {
            throw failure(std::string("sqlite: ") + sqlite3_errmsg(database_));
        }
    }
    void execute(const std::string& text) {
        check(sqlite3_exec(database_, text.c_str(), nullptr, nullptr, nullptr));
    }
    void prepare(const char* text, sqlite3_stmt** statement) {
        check(
            sqlite3_prepare_v3(database_, text, -1, SQLITE_PREPARE_PERSISTENT, statement, nullptr));
    }
    void run(sqlite3_stmt* statement) {
        if (sqlite3_step(statement) != SQLITE_DONE) {
            check(sqlite3_errcode(database_));
        }
        sqlite3_reset(statement);
    }

    peer_sync sync_;
    sqlite3* database_ = nullptr;
    sqlite3_stmt* insert_ = nullptr;
    sqlite3_stmt* begin_ = nullptr;
    sqlite3_stmt* commit_ = nullptr;
    sqlite3_stmt* select_ = nullptr;
};

}  // namespace

std::unique_ptr<peer> open_sqlite(const std::filesystem::path& directory, peer_sync sync) {
    return std::make_unique<sqlite_peer>(directory, sync);
}

}  // namespace bench
