#include "backup/backup.hpp"

#include "backup/backup_lock.hpp"
#include "backup/backup_place.hpp"
#include "backup/file_copy.hpp"
#include "backup/log_tail.hpp"
#include "terminal/output.hpp"

#include <fmt/format.h>

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/journal.hpp>
#include <pawl/journal/sealed_segment.hpp>
#include <pawl/replay/log_digest.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace pawl::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t first_frame_offset = 8192;

[[nodiscard]] std::unexpected<error> diverged(const fs::path& where, std::string why) {
    return std::unexpected(
        error{.code = errc::diverged, .file = where.string(), .detail = std::move(why)});
}

struct segment_digest {
    std::uint64_t events = 0;
    std::uint64_t value = 0;
    friend bool operator==(const segment_digest&, const segment_digest&) = default;
};

[[nodiscard]] result<segment_digest> digest_of(const fs::path& directory, std::uint64_t ordinal) {
    auto segment = sealed_segment::open(directory, ordinal);
    if (!segment)
        return std::unexpected(std::move(segment.error()));
    segment_digest found;
    log_digest digest;
    while (const event* e = segment->next()) {
        digest.add(*e);
        ++found.events;
    }
    if (auto whole = segment->finish(); !whole)
        return std::unexpected(std::move(whole.error()));
    found.value = digest.value() + segment->names_digest();
    return found;
}

// One attempt at a backup. It must begin again if a prune moves the beginning of the log meanwhile.
class attempt {
  public:
    attempt(fs::path from, const fs::path& out, journal_info journal)
        : from_{std::move(from)},
          next_{out / next_backup},
          current_{out / current_backup},
          journal_{std::move(journal)} {}

    [[nodiscard]] result<backup_report> run(
        const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
        if (auto known = know_current(); !known)
            return std::unexpected(std::move(known.error()));
        if (auto made = make_directory(next_, from_); !made)
            return std::unexpected(std::move(made.error()));
        if (auto copied = take_file("journal.pawl"); !copied)
            return std::unexpected(std::move(copied.error()));
        // Before the events: what a consumer has handled is then in the log that is copied, unless
        // it is not durable yet.
        if (auto copied = take_consumers(); !copied)
            return std::unexpected(std::move(copied.error()));
        if (auto copied = take_sealed(progress); !copied)
            return std::unexpected(std::move(copied.error()));
        if (auto copied = take_tail(); !copied)
            return std::unexpected(std::move(copied.error()));
        for (const char* name : {"retained", "retained.copy"}) {
            if (!fs::exists(from_ / name))
                continue;
            if (auto copied = take_file(name); !copied)
                return std::unexpected(std::move(copied.error()));
        }
        if (auto checked = check_tail(); !checked)
            return std::unexpected(std::move(checked.error()));
        if (auto dropped = drop_consumers_of_the_future(); !dropped)
            return std::unexpected(std::move(dropped.error()));
        report_.first_sequence = journal_.first_sequence;
        return report_;
    }

  private:
    [[nodiscard]] result<void> know_current() {
        if (!fs::exists(current_))
            return {};
        auto held = inspect(current_);
        if (!held)
            return std::unexpected(std::move(held.error()));
        if (held->id != journal_.id)
            return diverged(current_, "it is a backup of another journal");
        current_segments_ = std::move(held->segments);
        return {};
    }

    [[nodiscard]] result<void> take_file(const std::string& name,
                                         std::uint64_t bytes = whole_file) {
        auto copied = copy_synced(from_ / name, next_ / name, bytes);
        if (!copied)
            return std::unexpected(std::move(copied.error()));
        report_.copied_bytes += *copied;
        return {};
    }

    [[nodiscard]] result<void> take_consumers() {
        const fs::path consumers = from_ / "consumers";
        if (!fs::exists(consumers))
            return {};
        if (auto made = make_directory(next_ / "consumers", consumers); !made)
            return made;
        const auto list = list_consumers(from_);
        if (!list)
            return std::unexpected(list.error());
        for (const unreadable_consumer& each : list->unreadable)
            report_.unreadable_consumers.push_back(each.why);
        for (const consumer_info& each : list->consumers) {
            auto copied = take_file("consumers/" + each.name);
            if (!copied && copied.error().code != errc::not_found)  // it was dropped meanwhile
                return copied;
            report_.consumers += copied ? 1 : 0;
        }
        return {};
    }

    [[nodiscard]] result<void> take_sealed(
        const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
        const std::uint64_t all = journal_.segments.size() * journal_.segment_bytes;
        std::uint64_t done = 0;
        tail_begin_ = journal_.first_sequence;
        for (const segment_info& segment : journal_.segments) {
            if (!segment.sealed)
                break;
            if (auto taken = take_sealed_segment(segment); !taken)
                return taken;
            tail_begin_ = segment.end_sequence;
            after_sealed_ = segment.ordinal + 1;
            goes_on_ = segment.end != segment_end_type::closed;
            progress(done += journal_.segment_bytes, all);
        }
        return {};
    }

    [[nodiscard]] result<void> take_sealed_segment(const segment_info& segment) {
        const std::string name = segment_file(segment.ordinal);
        const std::string index = index_file(segment.ordinal);
        const auto there =
            std::ranges::find(current_segments_, segment.ordinal, &segment_info::ordinal);
        if (there != current_segments_.end() && there->sealed) {
            if (there->epoch != segment.epoch || there->end_sequence != segment.end_sequence)
                return diverged(current_ / name,
                                "the journal has another segment of this number: one of the two "
                                "is of another history; back it up to another directory");
            std::error_code failed;
            fs::create_hard_link(current_ / name, next_ / name, failed);
            if (!failed)
                fs::create_hard_link(current_ / index, next_ / index, failed);
            if (!failed) {
                ++report_.kept_segments;
                return {};
            }
            // Not every file system has hard links, and not every user may link every file.
            fs::remove(next_ / name, failed);
        }
        if (auto copied = take_file(name); !copied)
            return copied;
        if (auto copied = take_file(index); !copied)
            return copied;
        ++report_.copied_segments;
        return check_copy(segment.ordinal);
    }

    [[nodiscard]] result<void> check_copy(std::uint64_t ordinal) {
        const auto original = digest_of(from_, ordinal);
        if (!original)
            return std::unexpected(original.error());
        const auto copy = digest_of(next_, ordinal);
        if (!copy)
            return std::unexpected(copy.error());
        if (*original != *copy)
            return differs(next_ / segment_file(ordinal));
        report_.digest += copy->value;
        return {};
    }

    [[nodiscard]] static std::unexpected<error> differs(const fs::path& file) {
        return std::unexpected(error{.code = errc::damaged,
                                     .file = file.string(),
                                     .detail = "the copy does not hold the same events"});
    }

    // Segments that are not sealed are copied up to the last durable event. What follows it is
    // zero, as if the power had failed: the next open for writing, or recovery, ends the log there.
    [[nodiscard]] result<void> take_tail() {
        auto tail = read_tail(from_, tail_begin_, true);
        if (!tail)
            return std::unexpected(std::move(tail.error()));
        tail_ = std::move(*tail);
        report_.next_sequence = tail_.next_sequence;
        auto ends = tail_.ends;
        // A segment that rolled over says that the next one exists.
        if (ends.empty() && goes_on_ && after_sealed_ != 0)
            ends[after_sealed_] = first_frame_offset;
        // Segments without events may lie before and between those that have some.
        const std::uint64_t begin =
            after_sealed_ != 0 ? after_sealed_ : journal_.segments.front().ordinal;
        for (std::uint64_t ordinal = begin; !ends.empty() && ordinal < ends.rbegin()->first;
             ++ordinal)
            ends.try_emplace(ordinal, whole_file);
        for (const auto& [ordinal, end] : ends) {
            const bool is_last = ordinal == ends.rbegin()->first;
            if (auto copied = take_file(segment_file(ordinal), is_last ? end : whole_file); !copied)
                return copied;
            ++report_.copied_segments;
        }
        return {};
    }

    [[nodiscard]] result<void> check_tail() {
        const auto copy = read_tail(next_, tail_begin_, false);
        if (!copy)
            return std::unexpected(copy.error());
        if (copy->next_sequence != tail_.next_sequence || copy->digest != tail_.digest)
            return differs(next_);
        report_.digest += copy->digest;
        return {};
    }

    // A consumer may have handled events that are published and not durable. In the backup it would
    // stand after the end of the log, so there it begins again.
    [[nodiscard]] result<void> drop_consumers_of_the_future() {
        if (!fs::exists(next_ / "consumers"))
            return {};
        const auto list = list_consumers(next_);
        if (!list)
            return std::unexpected(list.error());
        for (const consumer_info& each : list->consumers) {
            if (each.position.point.next <= report_.next_sequence)
                continue;
            std::error_code ignored;
            if (fs::remove(next_ / "consumers" / each.name, ignored))
                --report_.consumers;
        }
        return sync_directory(next_ / "consumers");
    }

    fs::path from_;
    fs::path next_;
    fs::path current_;
    journal_info journal_;
    std::vector<segment_info> current_segments_;
    std::uint64_t after_sealed_ = 0;
    bool goes_on_ = false;
    sequence_number tail_begin_ = 0;
    log_tail tail_;
    backup_report report_;
};

}  // namespace

result<backup_report> backup(const fs::path& from, const fs::path& out,
                             const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
    if (auto journal = inspect(from); !journal)
        return std::unexpected(std::move(journal.error()));
    std::error_code ignored;
    for (const fs::path& part : {out / current_backup, out / next_backup, out / previous_backup})
        if (fs::equivalent(from, part, ignored))
            return fail(errc::invalid_argument,
                        from.string() + " is the place of the backup itself; choose another OUT");
    if (auto ready = prepare(out); !ready)
        return std::unexpected(std::move(ready.error()));
    const auto lock = backup_lock::take(out, backup_lock::to::write);
    if (!lock)
        return std::unexpected(lock.error());
    if (auto settled = settle_previous(out); !settled)
        return std::unexpected(std::move(settled.error()));
    constexpr int most_attempts = 10;
    for (int tries = 1;; ++tries) {
        auto journal = inspect(from);
        if (!journal)
            return std::unexpected(std::move(journal.error()));
        if (auto removed = remove_part(out / next_backup); !removed)
            return std::unexpected(std::move(removed.error()));
        const sequence_number begin = journal->first_sequence;
        auto report = attempt{from, out, std::move(*journal)}.run(progress);
        const auto now = inspect(from);
        const bool was_pruned = now && now->first_sequence != begin;
        if (was_pruned && tries < most_attempts)
            continue;
        if (!report) {
            (void)remove_part(out / next_backup);  // it may fill the disk
            return report;
        }
        if (auto placed = put_in_place(out); !placed) {
            (void)remove_part(out / next_backup);
            return std::unexpected(std::move(placed.error()));
        }
        return report;
    }
}

}  // namespace pawl::cli
