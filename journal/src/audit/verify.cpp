#include "audit/verifier.hpp"
#include "format/metadata.hpp"
#include "format/segment_walk.hpp"
#include "os/assertion.hpp"
#include "os/file.hpp"
#include "recovery/log_survey.hpp"
#include "recovery/survey_at_rest.hpp"
#include "store/control.hpp"
#include "store/directory.hpp"
#include "store/heads_file.hpp"
#include "store/retained.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/journal.hpp>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

namespace pawl {

namespace detail {

result<verify_report> verifier::run() {
    auto journal = read_identity(directory_);
    if (!journal)
        return std::unexpected(std::move(journal.error()));
    id_ = report_.id = id_of(*journal);
    report_.origin = identity_of(*journal).origin;
    if (options_.deep) {
        auto audit = stream_audit::start();
        if (!audit)
            return std::unexpected(std::move(audit.error()));
        streams_ = std::move(*audit);
    }
    note_network_file_system();
    if (auto begun = begin_where_the_log_does(); !begun)
        return std::unexpected(std::move(begun.error()));
    // Heads are read before the segments are listed: a live writer writes heads only for
    // segments that exist by then.
    check_heads();
    check_control();
    report_.end = end_of_journal::open;
    if (auto read = check_segments(journal->segment_bytes); !read)
        return std::unexpected(std::move(read.error()));
    report_.next_sequence = sequence_;
    return finish_streams();
}

void verifier::find(error what, bool damage) {
    const bool unreadable = is_unreadable(what.code);
    report_.findings.push_back({std::move(what), damage && !unreadable, unreadable});
}

bool verifier::is_unreadable(errc code) noexcept {
    return code == errc::io || code == errc::locked || code == errc::newer_format;
}

error verifier::at(std::uint64_t ordinal, std::uint64_t offset, errc code,
                   std::string detail) const {
    return error{.code = code,
                 .offset = offset,
                 .sequence = sequence_,
                 .file = segment_path(directory_, ordinal).string(),
                 .detail = std::move(detail)};
}

void verifier::note_network_file_system() {
    auto local = refuse_network_file_system(directory_);
    if (!local && local.error().code == errc::network_file_system)
        report_.findings.push_back({std::move(local.error()), false, false});
}

result<void> verifier::begin_where_the_log_does() {
    auto begin = read_log_begin(directory_, id_);
    if (!begin)
        return std::unexpected(std::move(begin.error()));
    if (begin->ordinal <= expected_ordinal_)
        return {};
    begin_ = *begin;
    expected_ordinal_ = begin->ordinal;
    before_ = begin->before;
    sequence_ = begin->sequence();
    sequence_known_ = true;
    if (!seen_first_)
        report_.first_sequence = sequence_;
    names_digest_ = begin->names_digest;
    gap_.reset();
    if (streams_)
        streams_->begin_at(begin->ordinal, nullptr);
    check_retained();
    return {};
}

void verifier::check_retained() {
    bool shown = false;
    for (const std::string_view name : {retained_name, retained_copy_name}) {
        auto kept = read_retained_copy(directory_, id_, name);
        if (!kept) {
            find(std::move(kept.error()), false);
        } else if (*kept && (*kept)->begin.ordinal == begin_.ordinal && !shown) {
            show_retained(**kept);
            audit_from(**kept);
            shown = true;
        }
    }
}

void verifier::show_retained(const retained_log& kept) {
    if (options_.visit_name) {
        std::vector<recorded_name> names;
        for (const auto& [name, stream] : kept.names)
            names.push_back({.stream = stream, .timestamp_ns = 0, .name = name});
        std::ranges::sort(names, {}, &recorded_name::stream);
        std::ranges::for_each(names, options_.visit_name);
    }
    if (options_.visit_description)
        std::ranges::for_each(kept.descriptions, options_.visit_description);
}

void verifier::audit_from(const retained_log& kept) {
    if (!streams_)
        return;
    auto heads = heads_of(kept, kept.streams.size());
    if (!heads)
        find(std::move(heads.error()), false);
    else
        streams_->begin_at(kept.begin.ordinal, &*heads);
}

void verifier::check_control() {
    auto control = control_view::open(directory_, id_);
    if (!control) {
        if (control.error().code == errc::damaged)
            find(std::move(control.error()), false);
        return;
    }
    stored_watermark_ = control->stored_watermark();
}

void verifier::check_heads() {
    // Also files that continue no other one, which nothing else reads.
    bool all_right = true;
    if (const auto names = directory_handle{directory_}.names()) {
        for (const std::string& name : *names) {
            if (!is_run_name(name))
                continue;
            const auto run = head_run::open(directory_, id_, name);
            const auto right = run ? run->check_all() : result<void>{std::unexpect, run.error()};
            if (right || right.error().code == errc::not_found)
                continue;
            all_right = false;
            if (right.error().code == errc::damaged)
                find(right.error(), false);
        }
    }
    if (!all_right)
        return;
    auto heads = read_heads(directory_, id_);
    // Heads of a segment that was pruned are not used, so they cannot be wrong.
    if (heads && heads->ordinal < begin_.ordinal)
        return;
    if (heads && streams_)
        streams_->judge_at_its_place(std::move(*heads));
    else if (!heads && heads.error().code == errc::damaged)
        find(heads.error(), false);
}

void verifier::find_in_heads(const std::optional<stream_fault>& fault) {
    if (!fault)
        return;
    find(error{.code = errc::damaged,
               .offset = fault->offset,
               .sequence = fault->sequence,
               .file = heads_path(directory_).string(),
               .detail = fault->text()},
         false);
}

result<verify_report> verifier::finish_streams() {
    if (!streams_)
        return std::move(report_);
    if (streams_->out_of_memory())
        return fail(errc::out_of_memory);
    find_in_heads(streams_->finish());
    report_.streams = streams_->streams();
    return std::move(report_);
}

result<void> verifier::check_segments(std::uint64_t segment_bytes) {
    constexpr int most_lists = 1000;
    for (int lists = 1;; ++lists) {
        auto ordinals = list_log(directory_, begin_);
        if (!ordinals)
            return std::unexpected(std::move(ordinals.error()));
        // A prune moves the beginning before it removes a segment that is missing in the list.
        if (auto begun = begin_where_the_log_does(); !begun)
            return begun;
        report_.segments = ordinals->size();
        again_from_.reset();
        for (const std::uint64_t ordinal : *ordinals) {
            if (ordinal < expected_ordinal_)
                continue;
            if (ordinal != expected_ordinal_)
                note_gap(ordinal);
            check_segment(ordinal);
            if (again_from_)
                break;
            expected_ordinal_ = ordinal + 1;
            report_.bytes = (expected_ordinal_ - begin_.ordinal) * segment_bytes;
            if (options_.progress)
                options_.progress(report_.bytes, ordinals->size() * segment_bytes);
        }
        if (!again_from_) {
            judge_end(!ordinals->empty());
            return {};
        }
        if (lists == most_lists) {
            find({.code = errc::locked,
                  .sequence = sequence_,
                  .file = directory_.string(),
                  .detail = "writers came and went each time the journal was read"});
            return {};
        }
        expected_ordinal_ = *again_from_;
    }
}

void verifier::note_gap(std::uint64_t ordinal) {
    PAWL_ASSERT(ordinal > expected_ordinal_);
    // A segment that was prepared and not used may outlive an earlier one; whether that
    // happened is decided later. Every other segment needs its predecessor.
    gap_ = gap{.first = expected_ordinal_,
               .next = ordinal,
               .before = before_,
               .sequence = sequence_,
               .sequence_known = sequence_known_};
    lose_track();
}

bool verifier::gap_was_filled() {
    if (!gap_ || !open_segment(directory_, id_, gap_->first))
        return false;
    go_back_to_gap();
    return true;
}

void verifier::list_again_from(std::uint64_t ordinal) {
    again_from_ = ordinal;
    if (gap_)
        go_back_to_gap();
}

bool verifier::was_replaced(std::uint64_t ordinal, std::uint64_t epoch) const {
    const auto now = open_segment(directory_, id_, ordinal);
    return now ? now->header.epoch != epoch : now.error().code == errc::missing_segment;
}

void verifier::go_back_to_gap() {
    PAWL_ASSERT(gap_.has_value());
    before_ = gap_->before;
    sequence_ = gap_->sequence;
    sequence_known_ = gap_->sequence_known;
    again_from_ = gap_->first;
    gap_.reset();
}

void verifier::report_gap() {
    if (!gap_)
        return;
    PAWL_ASSERT(gap_->next > gap_->first);
    error missing = at(gap_->next - 1, no_value, errc::missing_segment,
                       "the segment does not exist, but later ones do");
    find(std::move(missing));
    gap_.reset();
    if (streams_)
        streams_->lose_track();
}

void verifier::lose_track() {
    before_ = {};
    sequence_known_ = false;
}

void verifier::lose_segment(std::uint64_t ordinal) {
    lose_track();
    if (streams_)
        streams_->lose_segment(ordinal);
}

void verifier::judge_end(bool any) {
    if (torn_)
        return;
    // A live writer has continued in a segment that did not exist when they were listed. Its
    // contents are for the next verification, and the watermark proves nothing against this
    // one.
    if (auto next = open_segment(directory_, id_, expected_ordinal_);
        next || next.error().code != errc::missing_segment) {
        if (!next)
            find(std::move(next.error()));
        return;
    }
    if (before_.known && before_.type == system_type::closed)
        report_.end = end_of_journal::closed;
    if (before_.known && before_.type != system_type::closed) {
        find(at(expected_ordinal_, no_value, errc::missing_segment,
                "its predecessor's end frame says that it exists"));
    }
    if ((before_.known || !any) && stored_watermark_ > sequence_) {
        find(at(expected_ordinal_, no_value, errc::missing_segment,
                "the control file proves that all events below sequence " +
                    std::to_string(stored_watermark_) + " were durable"));
    }
}

}  // namespace detail

bool verify_report::sound() const noexcept {
    return std::ranges::none_of(findings,
                                [](const finding& one) { return one.damage || one.unreadable; });
}

result<verify_report> verify(const std::filesystem::path& directory,
                             const verify_options& options) {
    try {
        return detail::verifier{detail::absolute_path(directory), options}.run();
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

}  // namespace pawl
