// What the log records between two events: names of streams, and descriptions of event types.
#pragma once

#include "format/description_frame.hpp"
#include "format/frame_check.hpp"
#include "format/hash.hpp"
#include "os/assertion.hpp"

#include <pawl/journal/detail/frame.hpp>
#include <pawl/journal/types.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pawl::detail {

// Gathers them since the last event that a cursor viewed. What names add to the digest of the next
// event is always gathered, the records themselves only if they are wanted.
class records_between {
  public:
    explicit records_between(bool wanted) noexcept : wanted_{wanted} {}

    [[nodiscard]] std::span<const recorded_name> names() const noexcept { return names_; }
    [[nodiscard]] std::span<const recorded_description> descriptions() const noexcept {
        return descriptions_;
    }
    [[nodiscard]] bool empty() const noexcept {
        return digest_ == 0 && names_.empty() && descriptions_.empty();
    }

    // A system frame that lies before the event with this sequence. May throw std::bad_alloc.
    void note(const frame_space& space, std::uint64_t offset, commit_word word,
              sequence_number next) {
        PAWL_ASSERT(word.is_system());
        const system_class found = classify_system(word);
        if (found == system_class::stream_name)
            note_name(space, offset, word);
        if (found == system_class::description && wanted_)
            note_description(space.base + offset, word, next);
    }

    [[nodiscard]] std::uint64_t take_digest() noexcept { return std::exchange(digest_, 0); }
    void set_digest(std::uint64_t digest) noexcept { digest_ = digest; }
    // They go with the event that is returned now, and are dropped at the next call.
    void give() noexcept { given_ = true; }
    void drop_given() noexcept {
        if (std::exchange(given_, false))
            drop_records();
    }
    void drop_records() noexcept {
        names_.clear();
        descriptions_.clear();
    }
    void drop() noexcept {
        digest_ = 0;
        drop_records();
    }

  private:
    void note_name(const frame_space& space, std::uint64_t offset, commit_word word) {
        const std::byte* frame = space.base + offset;
        if (wanted_) {
            const auto* text = reinterpret_cast<const char*>(frame + frame_header_bytes);
            names_.push_back({.stream = load_u64(frame + frame_offset::stream),
                              .timestamp_ns = load_u64(frame + frame_offset::timestamp),
                              .name{text, word.frame_bytes() - frame_header_bytes}});
        }
        digest_ += digest_term(content_hash_of(frame, space.epoch, offset));
    }
    // A malformed description describes nothing, and a copy leaves it out.
    void note_description(const std::byte* frame, commit_word word, sequence_number next) {
        const auto said = read_description(frame, word);
        if (!said)
            return;
        descriptions_.push_back({.type = said->type,
                                 .schema_version = said->schema_version,
                                 .next_sequence = next,
                                 .timestamp_ns = load_u64(frame + frame_offset::timestamp),
                                 .name = std::string{said->name},
                                 .bytes = {said->bytes.begin(), said->bytes.end()}});
    }

    bool wanted_;
    bool given_ = false;
    std::uint64_t digest_ = 0;
    std::vector<recorded_name> names_;
    std::vector<recorded_description> descriptions_;
};

}  // namespace pawl::detail
