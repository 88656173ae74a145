#include "format/metadata.hpp"
#include "format/segment_walk.hpp"
#include "os/assertion.hpp"
#include "recovery/log_survey.hpp"
#include "store/directory.hpp"
#include "store/log_begin.hpp"
#include "store/segment_file.hpp"
#include "store/segment_index.hpp"

#include <pawl/journal/sealed_segment.hpp>

#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pawl {

namespace detail {

class sealed_segment_state {
  public:
    sealed_segment_state(read_segment segment, const index_header& index) noexcept
        : segment_{std::move(segment)},
          index_{index},
          space_{segment_.bytes.data(), segment_.bytes.size(), segment_.header.epoch},
          sequence_{index.first_sequence} {}

    [[nodiscard]] const event* next() noexcept {
        while (!stopped_ && !end_.known) {
            if (offset_ >= verified_to_ && !check())
                break;
            const commit_word word{load_u64(space_.base + offset_)};
            if (is_end(word)) {
                note_end(word);
                break;
            }
            const std::uint64_t at = offset_;
            if (word.is_system())
                note_name(at, word);
            else if (!view(at, word))
                break;
            offset_ += padded(word.frame_bytes());
            if (word.is_system())
                continue;
            ++sequence_;
            return &event_;
        }
        return nullptr;
    }

    [[nodiscard]] result<void> finish() const {
        // A page may also have been lost under an event that was already returned.
        if (auto whole = segment_.bytes.whole(); !whole)
            return whole;
        if (stopped_)
            return std::unexpected(here(stopped_->code, stopped_->why));
        if (end_.known && offset_ == index_.end_offset && sequence_ == index_.end_sequence &&
            end_.hash == index_.end_hash)
            return {};
        return std::unexpected(here(errc::damaged, "the segment does not end as its index says"));
    }

    [[nodiscard]] result<void> check_follows(const sealed_segment_state* before) const {
        const segment_end end = before == nullptr ? segment_end{} : before->end_;
        std::string wrong = misfit(segment_.header, end);
        if (wrong.empty() && index_.first_sequence != end.sequence)
            wrong = "the segment does not continue where its predecessor ends";
        if (wrong.empty())
            return {};
        error found = here(errc::damaged, {});
        found.detail = std::move(wrong);
        found.offset = 0;
        found.sequence = end.sequence;
        return std::unexpected(std::move(found));
    }

    [[nodiscard]] const std::byte* base() const noexcept { return space_.base; }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return space_.bytes; }
    [[nodiscard]] const index_header& index() const noexcept { return index_; }
    [[nodiscard]] std::uint64_t names_digest() const noexcept { return names_digest_; }

  private:
    // Why next() stopped at offset_. next() must not allocate, so finish() turns this into an
    // error.
    struct stop {
        errc code{};
        std::string_view why{};  // static
    };

    [[nodiscard]] error here(errc code, std::string_view reason) const {
        return {.code = code,
                .offset = offset_,
                .sequence = sequence_,
                .reason = reason,
                .file = segment_.bytes.path().string()};
    }

    // Checks the current frame and, if it begins a batch, the whole batch.
    [[nodiscard]] bool check() noexcept {
        const unit_check unit = check_unit(space_, offset_, sequence_);
        verified_to_ = unit.end;
        if (unit.fault == frame_fault::none) [[likely]]
            return true;
        stopped_ = stop{code_of(unit.fault), to_string(unit.fault)};
        return false;
    }

    [[nodiscard]] bool view(std::uint64_t offset, commit_word word) noexcept {
        const frame_view seen = view_frame(space_.base + offset, word);
        if (!seen.fault.empty()) [[unlikely]] {
            stopped_ = stop{errc::malformed, seen.fault};
            return false;
        }
        const std::byte* frame = space_.base + offset;
        event_ = event{frame,
                       {segment_.header.ordinal, offset},
                       content_hash_of(frame, space_.epoch, offset),
                       seen.metadata_bytes,
                       std::exchange(names_digest_, 0)};
        return true;
    }

    void note_name(std::uint64_t offset, commit_word word) noexcept {
        if (classify_system(word) == system_class::stream_name)
            names_digest_ +=
                digest_term(content_hash_of(space_.base + offset, space_.epoch, offset));
    }

    void note_end(commit_word word) noexcept {
        walk_end end{.offset = offset_, .sequence = sequence_};
        take_end(end, space_.base + offset_, word);
        end_ = end_of(segment_.header, end);
    }

    read_segment segment_;
    index_header index_;
    frame_space space_;
    std::uint64_t offset_ = first_frame_offset;
    std::uint64_t verified_to_ = 0;  // a batch was checked up to here
    sequence_number sequence_;
    event event_;
    std::uint64_t names_digest_ = 0;  // of the names after event_
    segment_end end_{};
    std::optional<stop> stopped_;
};

}  // namespace detail

sealed_segment::sealed_segment(std::unique_ptr<detail::sealed_segment_state> state) noexcept
    : state_{std::move(state)},
      base_{state_->base()},
      ordinal_{state_->index().ordinal},
      epoch_{state_->index().epoch} {}
sealed_segment::sealed_segment(sealed_segment&&) noexcept = default;
sealed_segment& sealed_segment::operator=(sealed_segment&&) noexcept = default;
sealed_segment::~sealed_segment() = default;

result<sealed_segment> sealed_segment::open(const std::filesystem::path& directory,
                                            std::uint64_t ordinal) {
    try {
        auto journal = detail::read_identity(directory);
        if (!journal)
            return std::unexpected(std::move(journal.error()));
        const journal_id id = detail::id_of(*journal);
        const auto index = detail::read_index_header(directory, id, ordinal);
        auto segment = detail::open_segment(directory, id, ordinal);
        if (!segment) {
            const auto begin = detail::read_log_begin(directory, id);
            if (begin && ordinal < begin->ordinal) {
                return std::unexpected(
                    error{.code = errc::pruned,
                          .sequence = begin->sequence(),
                          .file = segment.error().file,
                          .detail = "the segment was pruned; the journal begins with sequence " +
                                    std::to_string(begin->sequence())});
            }
            if (index)
                segment.error().sequence = index->first_sequence;
            return std::unexpected(std::move(segment.error()));
        }
        if (!index || !detail::is_of_segment(*index, *segment))
            return std::unexpected(error{.code = errc::not_found,
                                         .file = segment->bytes.path().string(),
                                         .detail = "the segment is not sealed"});
        segment->bytes.will_read(0, segment->bytes.size());
        return sealed_segment{
            std::make_unique<detail::sealed_segment_state>(std::move(*segment), *index)};
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

sequence_number sealed_segment::first_sequence() const noexcept {
    return state_->index().first_sequence;
}
sequence_number sealed_segment::end_sequence() const noexcept {
    return state_->index().end_sequence;
}
std::uint64_t sealed_segment::bytes() const noexcept {
    return state_->bytes();
}
const event* sealed_segment::next() noexcept {
    return state_->next();
}
std::uint64_t sealed_segment::names_digest() const noexcept {
    return state_->names_digest();
}
result<void> sealed_segment::finish() const {
    try {
        return state_->finish();
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}
result<void> sealed_segment::check_follows(const sealed_segment* before) const {
    try {
        return state_->check_follows(before == nullptr ? nullptr : before->state_.get());
    } catch (const std::bad_alloc&) {
        return fail(errc::out_of_memory);
    }
}

event sealed_segment::at(std::uint64_t offset) const noexcept {
    PAWL_ASSERT(offset >= detail::first_frame_offset && offset % detail::frame_alignment == 0);
    const std::byte* frame = base_ + offset;
    const detail::commit_word word{detail::load_u64(frame)};
    return event{frame,
                 {ordinal_, offset},
                 detail::content_hash_of(frame, epoch_, offset),
                 detail::view_frame(frame, word).metadata_bytes};
}

}  // namespace pawl
