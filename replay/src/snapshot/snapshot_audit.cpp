#include "os/directory_handle.hpp"
#include "snapshot/snapshot_file.hpp"
#include "snapshot/snapshot_info.hpp"
#include "snapshot/snapshot_names.hpp"

#include <pawl/journal/detail/guarded.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/replay/snapshot_audit.hpp>

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

namespace pawl {

namespace {

// Offsets of the fields that findings report.
constexpr std::uint64_t origin_at = offsetof(detail::snapshot_header, origin);
constexpr std::uint64_t point_at = offsetof(detail::snapshot_header, next_sequence);
constexpr std::uint64_t digest_at = offsetof(detail::snapshot_header, log_digest);
constexpr std::uint64_t name_at = offsetof(detail::snapshot_header, name);

constexpr const char* other_event = "the event before its log point has another hash in the log";

[[nodiscard]] error misfit(const snapshot_info& snapshot, std::uint64_t offset, std::string why) {
    return {.code = errc::diverged,
            .offset = offset,
            .sequence = snapshot.point.next,
            .file = snapshot.path.string(),
            .detail = std::move(why)};
}

}  // namespace

// Checks what the file alone can show: the payload matches its hash, and the name matches the
// header, so that a store finds it.
result<snapshot_audit::whole_snapshot> snapshot_audit::read_whole(
    const std::filesystem::path& path) {
    auto reader = detail::snapshot_reader::open(path);
    if (!reader)
        return std::unexpected(std::move(reader.error()));
    snapshot_info info = detail::info_of(path, reader->header());
    const std::string prefix = detail::snapshot_prefix(info.name, info.state_version);
    if (!path.filename().native().starts_with(prefix)) {
        error wrong = misfit(info, name_at, "the header says " + prefix);
        wrong.code = errc::damaged;
        return std::unexpected(std::move(wrong));
    }
    if (auto whole = reader->check_payload(); !whole)
        return std::unexpected(std::move(whole.error()));
    return whole_snapshot{.info = std::move(info)};
}

result<snapshot_audit> snapshot_audit::open(const std::filesystem::path& directory,
                                            const std::filesystem::path& snapshots) {
    return detail::guarded(
        [&] { return read_all(snapshots.empty() ? directory / "snapshots" : snapshots); });
}

result<snapshot_audit> snapshot_audit::read_all(const std::filesystem::path& where) {
    snapshot_audit audit;
    const auto names = detail::snapshot_directory_names(where);
    if (!names)
        return std::unexpected(names.error());
    for (const std::string& name : *names)
        if (detail::is_any_snapshot_file(name))
            audit.take_in(where / name);
    std::ranges::sort(audit.whole_, {},
                      [](const whole_snapshot& each) { return each.info.point.next; });
    audit.judge_passed();
    return audit;
}

void snapshot_audit::take_in(const std::filesystem::path& path) {
    auto read = read_whole(path);
    // A follower may remove an old snapshot between listing and opening it.
    if (!read && read.error().code == errc::not_found)
        return;
    ++count_;
    if (read)
        whole_.push_back(std::move(*read));
    else
        rejected_.push_back({path, std::move(read.error())});
}

void snapshot_audit::judge(whole_snapshot& snapshot) const {
    const snapshot_info& info = snapshot.info;
    snapshot.same_frame = info.point.frame_hash == point_.frame_hash;
    if (info.point.content_hash != point_.content_hash) {
        snapshot.misfit = misfit(info, point_at, other_event);
    } else if (complete_ && info.digest != digest_) {
        snapshot.misfit =
            misfit(info, digest_at, "the events before its log point have another digest");
    }
}

void snapshot_audit::judge_passed() {
    for (; judged_ < whole_.size(); ++judged_) {
        const sequence_number next = whole_[judged_].info.point.next;
        if (next > point_.next)
            return;
        // A log point inside a gap cannot be judged; the reader of the log reports the gap.
        if (next == point_.next)
            judge(whole_[judged_]);
    }
}

void snapshot_audit::add(const event& next) noexcept {
    complete_ = complete_ && next.sequence() == point_.next;
    point_ = next.point();
    digest_.add(next);
    if (!detail::guarded([&] { judge_passed(); }))
        out_of_memory_ = true;
}

result<std::vector<rejected_snapshot>> snapshot_audit::finish(const journal_identity& journal) {
    if (out_of_memory_)
        return std::unexpected(error{.code = errc::out_of_memory});
    return detail::guarded(
        [&]() -> result<std::vector<rejected_snapshot>> { return judge_rest(journal); });
}

std::vector<rejected_snapshot> snapshot_audit::judge_rest(const journal_identity& journal) {
    for (; judged_ < whole_.size(); ++judged_) {
        whole_snapshot& beyond = whole_[judged_];
        beyond.misfit =
            misfit(beyond.info, point_at,
                   "the log ends before its log point, at sequence " + std::to_string(point_.next));
    }
    for (whole_snapshot& each : whole_) {
        // In the journal where it was taken, the event must also be in the same place.
        if (!each.misfit && !each.same_frame && each.info.journal.id == journal.id)
            each.misfit = misfit(each.info, point_at, other_event);
        if (each.info.journal.origin != journal.origin)
            each.misfit = misfit(each.info, origin_at, "a snapshot of another journal");
        if (each.misfit)
            rejected_.push_back({each.info.path, std::move(*each.misfit)});
    }
    whole_.clear();
    std::ranges::sort(rejected_, {}, &rejected_snapshot::path);
    return std::move(rejected_);
}

result<snapshot_list> list_snapshots(const std::filesystem::path& directory,
                                     const std::filesystem::path& snapshots) {
    return detail::guarded([&]() -> result<snapshot_list> {
        if (const auto journal = inspect(directory, {.pass_over_faults = true}); !journal)
            return std::unexpected(journal.error());
        const std::filesystem::path where = snapshots.empty() ? directory / "snapshots" : snapshots;
        const auto names = detail::snapshot_directory_names(where);
        if (!names)
            return std::unexpected(names.error());
        snapshot_list list;
        for (const std::string& name : *names) {
            if (!detail::is_any_snapshot_file(name))
                continue;
            auto reader = detail::snapshot_reader::open(where / name);
            if (reader)
                list.snapshots.push_back(detail::info_of(where / name, reader->header()));
            else if (reader.error().code != errc::not_found)
                list.rejected.push_back({where / name, std::move(reader.error())});
        }
        std::ranges::sort(list.snapshots, [](const snapshot_info& a, const snapshot_info& b) {
            return std::tie(a.name, a.state_version, b.point.next) <
                   std::tie(b.name, b.state_version, a.point.next);
        });
        std::ranges::sort(list.rejected, {}, &rejected_snapshot::path);
        return list;
    });
}

}  // namespace pawl
