// Row 7, second part: rot in a snapshot is always found. Every bit of a snapshot is flipped, and
// every sector of it zeroed, one at a time: loading it must fail and name the file, a deep verify
// must find it, and a restore must return the right state from the older snapshot or, if that one
// rots too, from the log alone.
#include "../../replay/bank.hpp"
#include "snapshot/snapshot_layout.hpp"
#include "support/failure_text.hpp"
#include "support/generated_log.hpp"
#include "support/row_program.hpp"
#include "support/target_file.hpp"
#include "support/workers.hpp"

#include <fmt/core.h>

#include <pawl/codec/encoder.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/writer.hpp>
#include <pawl/replay/restore.hpp>
#include <pawl/replay/snapshot_audit.hpp>
#include <pawl/replay/snapshot_store.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

using namespace pawl;
using namespace pawl::test;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t sector_bytes = 512;
constexpr std::uint64_t events_a_third = 60;

// A form that this program does not know may have no checksum, so no checksum can be expected of
// it.
[[nodiscard]] bool may_be_said(errc code, std::uint64_t changed_byte) noexcept {
    const std::uint64_t version_at = offsetof(detail::snapshot_header, format_version);
    const bool in_version =
        changed_byte >= version_at &&
        changed_byte < version_at + sizeof(detail::snapshot_header::format_version);
    return code == errc::damaged || (code == errc::newer_format && in_version);
}

// A journal of three parts with a snapshot after the first and one after the second.
class recorded_bank {
  public:
    recorded_bank(fs::path directory, std::uint64_t seed)
        : directory_{std::move(directory)}, random_{seed} {}

    // What went wrong, else empty.
    [[nodiscard]] std::string write() {
        auto log = writer::open(
            directory_, {.segment_bytes = std::uint64_t{64} << 10, .sync = sync_policy::manual()});
        if (!log)
            return log.error().message();
        id_ = log->identity();
        for (fs::path* snapshot : {&older_, &newer_}) {
            if (auto wrong = append(*log); !wrong.empty())
                return wrong;
            if (auto wrong = take_snapshot(*snapshot); !wrong.empty())
                return wrong;
        }
        if (auto wrong = append(*log); !wrong.empty())
            return wrong;
        if (auto closed = log->close(); !closed)
            return failure_text(*log, closed.error());
        auto whole = fold<bank::ledger>(directory_);
        if (!whole)
            return whole.error().message();
        right_.emplace(std::move(*whole));
        return right_->progress.events == 3 * events_a_third ? "" : "some events are missing";
    }

    [[nodiscard]] const fs::path& older() const noexcept { return older_; }
    [[nodiscard]] const fs::path& newer() const noexcept { return newer_; }

    [[nodiscard]] std::string check_load(std::uint64_t changed) const {
        auto store = snapshot_store::open(directory_, id_, bank::ledger::state_version);
        if (!store)
            return "the snapshot store cannot be opened: " + store.error().message();
        auto loaded = store->load(newer_);
        if (loaded)
            return "UNDETECTED: it was loaded";
        if (!may_be_said(loaded.error().code, changed) || loaded.error().file != newer_.string())
            return "loading it fails with " + loaded.error().message();
        return {};
    }

    // `from` is the snapshot that must be used; empty: none.
    [[nodiscard]] std::string check_restore(std::uint64_t changed, const fs::path& from) const {
        auto again = restore<bank::ledger>(directory_);
        if (!again)
            return "cannot be restored: " + again.error().message();
        if (again->state != right_->state || again->progress.digest != right_->progress.digest ||
            again->progress.point != right_->progress.point)
            return "WRONG STATE: " + again->report.message();
        const fs::path used = again->report.used ? again->report.used->path : fs::path{};
        if (used != from)
            return "restored from the wrong place: " + again->report.message();
        return blames(again->report.rejected, changed) ? ""
                                                       : "not named: " + again->report.message();
    }

    // As `pawl verify --deep` does.
    [[nodiscard]] std::string check_audit(std::uint64_t changed) const {
        auto audit = snapshot_audit::open(directory_);
        if (!audit)
            return "no audit: " + audit.error().message();
        auto report = verify(directory_, {.visit = [&](const event& e) { audit->add(e); }});
        if (!report)
            return "verify: " + report.error().message();
        const auto rejected = audit->finish({report->id, report->origin});
        if (!rejected)
            return "audit: " + rejected.error().message();
        return blames(*rejected, changed) ? "" : "UNDETECTED by a deep verify";
    }

  private:
    [[nodiscard]] bool blames(const std::vector<rejected_snapshot>& rejected,
                              std::uint64_t changed) const {
        const auto found = std::ranges::find(rejected, newer_, &rejected_snapshot::path);
        return found != rejected.end() && may_be_said(found->why.code, changed);
    }

    [[nodiscard]] std::string append(writer& log) {
        for (std::uint64_t i = 0; i < events_a_third; ++i) {
            const std::uint64_t account = random_.below(17) + 1;
            const auto amount = static_cast<std::int64_t>(random_.below(1000));
            const auto placed =
                random_.one_in(4)
                    ? encode_.append(log, {.stream = account},
                                     [&](auto& b) {
                                         return bank::Createrenamed(
                                             b, account,
                                             b.CreateString(std::string(random_.below(40), 'n')));
                                     })
                    : encode_.append(log, {.stream = account}, [&](auto& b) {
                          return bank::Createdeposited(b, account, amount);
                      });
            if (!placed)
                return failure_text(log, placed.error());
        }
        return {};
    }

    [[nodiscard]] std::string take_snapshot(fs::path& path) {
        auto now = fold<bank::ledger>(directory_);
        if (!now)
            return now.error().message();
        auto store = snapshot_store::open(directory_, id_, bank::ledger::state_version);
        if (!store)
            return store.error().message();
        auto added = store->add(now->progress.point, now->progress.digest, [&](snapshot_sink& out) {
            return bank::ledger::save(now->state, out);
        });
        if (!added)
            return added.error().message();
        path = added->path;
        return {};
    }

    fs::path directory_;
    random_source random_;
    encoder encode_;
    journal_identity id_{};
    fs::path older_;
    fs::path newer_;
    std::optional<folded<bank::ledger>> right_;
};

class rotting {
  public:
    rotting(row_program& program, const recorded_bank& bank, std::uint64_t journal)
        : program_{program}, bank_{bank}, journal_{journal} {}

    void spoil(std::uint64_t first_bit, std::uint64_t step) {
        const target_file newer{bank_.newer()};
        const target_file older{bank_.older()};
        if (!newer.usable() || !older.usable()) {
            program_.failure("", "cannot map the snapshots");
            return;
        }
        const std::uint64_t bits = newer.bytes().size() * 8;
        for (std::uint64_t bit = first_bit; bit < bits && program_.goes_on(); bit += step) {
            newer.flip(bit);
            judge(older, bit, fmt::format("bit {}", bit),
                  fmt::format("--journal {} --first-bit {} --count 1", journal_, bit));
            newer.flip(bit);
        }
        for (std::size_t at = 0; at < newer.bytes().size() && program_.goes_on();
             at += sector_bytes)
            zero_sector(newer, older, at);
    }

  private:
    void zero_sector(const target_file& newer, const target_file& older, std::size_t at) {
        const auto sector =
            newer.bytes().subspan(at, std::min(sector_bytes, newer.bytes().size() - at));
        const std::vector<std::byte> before(sector.begin(), sector.end());
        std::ranges::fill(sector, std::byte{0});
        if (!std::ranges::equal(sector, before))
            judge(older, at * 8, fmt::format("sector at byte {} zeroed", at),
                  fmt::format("--journal {} --first-bit {}", journal_, newer.bytes().size() * 8));
        std::ranges::copy(before, sector.begin());
    }

    // In the end, the same bit of the older snapshot rots as well.
    void judge(const target_file& older, std::uint64_t bit, const std::string& what,
               const std::string& repeat) {
        program_.count();
        std::string wrong = bank_.check_load(bit / 8);
        if (wrong.empty())
            wrong = bank_.check_restore(bit / 8, bank_.older());
        if (wrong.empty())
            wrong = bank_.check_audit(bit / 8);
        if (wrong.empty()) {
            const std::uint64_t other = bit % (older.bytes().size() * 8);
            older.flip(other);
            wrong = bank_.check_restore(bit / 8, {});
            older.flip(other);
        }
        if (!wrong.empty())
            program_.failure(repeat, what + " of the snapshot: " + wrong);
    }

    row_program& program_;
    const recorded_bank& bank_;
    std::uint64_t journal_;
};

}  // namespace

int main(int argc, char** argv) {
    row_program program{{.row = 7, .name = "snapshot_rot", .counted = "changes"}, argc, argv};
    program.target({.quick = 1000, .ci = 20'000, .full = 1'000'000});
    const std::uint64_t step = program.option("--step", program.mode() == row_mode::quick ? 16 : 1);
    const std::uint64_t first_bit = program.option("--first-bit", 0);
    const std::uint64_t first = program.option("--journal", 0);
    const auto workers = static_cast<unsigned>(
        program.option("--workers", program.target() == 1 ? 1 : usual_workers()));
    const auto sums = divide_among_workers(program, workers, [&](unsigned index) {
        worker_sums journals{};
        const fs::path directory = program.directory() / std::to_string(index);
        for (std::uint64_t number = first + index; program.goes_on(); number += workers) {
            fs::remove_all(directory);
            recorded_bank bank{directory, draw(program.seed(), number)};
            if (auto wrong = bank.write(); !wrong.empty()) {
                program.failure(fmt::format("--journal {}", number), wrong);
                break;
            }
            rotting{program, bank, number}.spoil(journals[0] == 0 ? first_bit : 0, step);
            ++journals[0];
        }
        return journals;
    });
    program.detail(
        fmt::format("in {} journals, each found by a load, a restore and an audit", sums[0]));
    return program.finish();
}
