#include "salvage/salvage.hpp"

#include "salvage/journal_copy.hpp"

#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

namespace pawl::cli {

namespace {

// Takes what verify() reads of the damaged journal.
class salvager {
  public:
    salvager(journal_copy copy, sequence_number first) : copy_{std::move(copy)}, first_{first} {}

    // Before the records that a prune has kept, which verify() shows first.
    void take_pruned() { fill(first_); }

    void take(const event& e) {
        if (failure_)
            return;
        if (e.sequence() < copy_.next()) {
            ++report_.left_out;
            return;
        }
        fill(e.sequence());
        if (!failure_)
            keep(copy_.take(e));
        ++report_.copied;
    }
    template <class Record>
    void take_record(const Record& record) {
        if (!failure_)
            keep(copy_.take(record));
    }

    [[nodiscard]] result<salvage_report> finish(verify_report source) {
        for (const finding& found : source.findings)
            if (found.what.code == errc::newer_format)
                return std::unexpected(found.what);
        fill(source.next_sequence);
        if (failure_)
            return std::unexpected(std::move(*failure_));
        report_.renumbered = copy_.renumbered();
        report_.names_lost = copy_.names_lost();
        report_.next_sequence = copy_.next();
        report_.source = std::move(source);
        if (auto closed = copy_.close(); !closed)
            return std::unexpected(std::move(closed.error()));
        return std::move(report_);
    }

  private:
    void keep(result<void> done) {
        if (!done && !failure_)
            failure_ = std::move(done.error());
    }

    // Every event keeps its sequence: those that are missing before this one are lost.
    void fill(sequence_number next) {
        const sequence_number from = copy_.next();
        if (next <= from || failure_)
            return;
        if (from < first_) {
            report_.pruned = next - from;
        } else {
            report_.lost += next - from;
            report_.gaps.push_back({from, next});
        }
        while (copy_.next() < next && !failure_)
            keep(copy_.take_lost());
    }

    journal_copy copy_;
    sequence_number first_;  // of the damaged journal, more than 0 if it was pruned
    salvage_report report_;
    std::optional<error> failure_{};
};

[[nodiscard]] error is_held(const std::filesystem::path& from, const journal_info& journal) {
    return error{.code = errc::locked, .file = from.string(), .detail = "held by " + journal.owner};
}

}  // namespace

result<salvage_report> salvage(const std::filesystem::path& from, const std::filesystem::path& to,
                               const std::function<void(std::uint64_t, std::uint64_t)>& progress,
                               bool allow_network_file_system) {
    const auto journal = inspect(from, {.pass_over_faults = true});
    if (!journal)
        return std::unexpected(journal.error());
    if (journal->locked)
        return std::unexpected(is_held(from, *journal));
    // What another user or a newer program could read is not lost.
    for (const error& fault : journal->faults)
        if (fault.code == errc::newer_format || (fault.code == errc::io && fault.os_error != EIO))
            return std::unexpected(fault);
    std::error_code ignored;
    if (std::filesystem::equivalent(from, to, ignored))
        return fail(errc::invalid_argument, "a journal cannot be salvaged into itself");
    // Only what a salvage has made has another id and the same origin.
    const auto there = inspect(to, {.pass_over_faults = true});
    if (there && there->id == journal->id)
        return fail(errc::invalid_argument,
                    to.string() +
                        " is the same journal, or a copy of it; name a directory that does not "
                        "exist");
    auto copy = journal_copy::open(to, *journal, allow_network_file_system);
    if (!copy)
        return std::unexpected(std::move(copy.error()));
    salvager taking{std::move(*copy), journal->first_sequence};
    taking.take_pruned();
    auto read = verify(
        from,
        {.progress = progress,
         .visit = [&](const event& e) { taking.take(e); },
         .visit_name = [&](const recorded_name& name) { taking.take_record(name); },
         .visit_description = [&](const recorded_description& said) { taking.take_record(said); }});
    if (!read)
        return std::unexpected(std::move(read.error()));
    return taking.finish(std::move(*read));
}

}  // namespace pawl::cli
