#include "audit/stream_audit.hpp"

#include "format/metadata.hpp"
#include "os/assertion.hpp"

#include <cstring>
#include <utility>

namespace pawl::detail {

namespace {

constexpr std::uint64_t fewest_slots = 64;

// Counts a fault. Builds and keeps the sentence for the first one only.
template <class Sentence>
void note(std::optional<stream_fault>& found, std::uint64_t offset, sequence_number sequence,
          Sentence&& sentence) {
    if (found)
        ++found->more;
    else
        found = stream_fault{.offset = offset, .sequence = sequence, .detail = sentence()};
}

[[nodiscard]] std::string stream_text(stream_id stream) {
    return "stream " + std::to_string(stream);
}

[[nodiscard]] std::string entry_text(stream_id number, bool of_tag) {
    return of_tag ? "tag " + std::to_string(number) : stream_text(number);
}

[[nodiscard]] std::string place_text(std::uint64_t packed) {
    const log_position at = unpack_position(packed);
    return "segment " + std::to_string(at.ordinal) + ", byte " + std::to_string(at.offset);
}

}  // namespace

std::string stream_fault::text() const {
    return more == 0 ? detail : detail + "; and " + std::to_string(more) + " more like it";
}

result<stream_audit> stream_audit::start() {
    stream_audit made;
    auto slots = head_slots::make(fewest_slots);
    if (!slots)
        return std::unexpected(std::move(slots.error()));
    made.heads_ = std::move(*slots);
    return made;
}

std::optional<stream_fault> stream_audit::check_links(const segment_index& index) const {
    std::optional<stream_fault> found;
    if (!complete_)
        return found;
    for (const index_stream& stream : index.streams) {
        const stream_head* head = heads_.find(stream.stream);
        const std::uint64_t back =
            head == nullptr ? 0 : index.header.ordinal - unpack_position(head->last).ordinal;
        if (stream.segments_back == back)
            continue;
        note(found, 0, index.header.first_sequence, [&] {
            return "the index says that " + stream_text(stream.stream) + " was last " +
                   std::to_string(stream.segments_back) + " segments back, but in the log it was " +
                   std::to_string(back) + " back";
        });
    }
    const std::uint64_t commands_back = last_commands_ ? index.header.ordinal - *last_commands_ : 0;
    // What was pruned may have held commands: then the index leads to before the log.
    const bool leads_out =
        !last_commands_ && index.header.commands_back >
                               index.header.ordinal - first_ordinal_.value_or(index.header.ordinal);
    if (index.header.commands_back != commands_back && !leads_out) {
        note(found, offsetof(index_header, commands_back), index.header.first_sequence, [&] {
            return "the index says that the last command before it lies " +
                   std::to_string(index.header.commands_back) +
                   " segments back, but in the log it lies " + std::to_string(commands_back) +
                   " back";
        });
    }
    return found;
}

void stream_audit::begin_segment(std::uint64_t ordinal) {
    ordinal_ = ordinal;
    if (!first_ordinal_)
        first_ordinal_ = ordinal;
    fault_.reset();
}

void stream_audit::lose_track() {
    auto slots = head_slots::make(fewest_slots);
    if (slots)
        heads_ = std::move(*slots);
    else
        out_of_memory_ = true;
    tags_ = {};
    names_.clear();
    complete_ = false;
}

void stream_audit::begin_at(std::uint64_t ordinal, stream_heads* retained) {
    if (retained == nullptr) {
        lose_track();
    } else {
        heads_ = std::move(retained->slots);
        tags_ = std::move(retained->tags);
        named_ = retained->names.size();
        names_ = std::move(retained->names);
        complete_ = true;
    }
    if (file_ && file_->ordinal < ordinal)
        file_.reset();
}

void stream_audit::lose_segment(std::uint64_t ordinal) {
    lose_track();
    if (file_ && file_->ordinal == ordinal)
        file_.reset();
}

std::optional<stream_fault> stream_audit::end_segment(std::uint64_t epoch,
                                                      sequence_number end_sequence) {
    // If the heads are as of another end of this segment, that end is not in this log, and finish()
    // reports it.
    if (!file_ || file_->ordinal != ordinal_ || file_->epoch != epoch ||
        file_->end_sequence != end_sequence) {
        return std::nullopt;
    }
    auto found = compare(*file_);
    file_.reset();
    return found;
}

std::optional<stream_fault> stream_audit::finish() {
    if (!file_)
        return std::nullopt;
    return stream_fault{.offset = offsetof(heads_header, ordinal),
                        .sequence = file_->end_sequence,
                        .detail = "the heads are as of an end of segment " +
                                  std::to_string(file_->ordinal) + " that is not in this log"};
}

void stream_audit::add(const frame_space& space, std::uint64_t offset, commit_word word) {
    PAWL_ASSERT(!is_end(word) && offset % frame_alignment == 0);
    const std::byte* frame = space.base + offset;
    if (word.is_system()) {
        if (classify_system(word) == system_class::stream_name)
            add_name(frame, offset, word);
        return;
    }
    add_tags(frame, offset, word);
    const stream_id stream = load_u64(frame + frame_offset::stream);
    if (stream == no_stream_id)
        return;
    stream_head* head = heads_.find_or_grow(stream);
    if (head == nullptr) {
        out_of_memory_ = true;
        return;
    }
    const stream_version version = load_u64(frame + frame_offset::version);
    const sequence_number sequence = load_u64(frame + frame_offset::sequence);
    if (complete_ && stream >= first_named_stream && stream - first_named_stream >= named_) {
        note(fault_, offset, sequence,
             [&] { return stream_text(stream) + " has an event before its name"; });
    }
    const bool known = complete_ || head->version != 0;
    if (known && version != head->version + 1) {
        note(fault_, offset, sequence, [&] {
            return stream_text(stream) + " continues with version " + std::to_string(version) +
                   " after version " + std::to_string(head->version);
        });
    }
    head->version = version;
    head->last = pack_position(ordinal_, offset);
}

void stream_audit::add_name(const std::byte* frame, std::uint64_t offset, commit_word word) {
    PAWL_ASSERT(classify_system(word) == system_class::stream_name);
    if (!complete_)
        return;
    const stream_id stream = load_u64(frame + frame_offset::stream);
    const sequence_number sequence = load_u64(frame + frame_offset::sequence);
    std::string name{reinterpret_cast<const char*>(frame + frame_header_bytes),
                     word.frame_bytes() - frame_header_bytes};
    if (stream != first_named_stream + named_) {
        note(fault_, offset, sequence, [&] {
            return "a name for " + stream_text(stream) + ", but the next number is " +
                   std::to_string(first_named_stream + named_);
        });
    }
    const auto [there, is_new] = names_.emplace(std::move(name), stream);
    if (!is_new) {
        note(fault_, offset, sequence, [&] {
            return "the name of " + stream_text(there->second) + " is assigned again, to " +
                   stream_text(stream);
        });
    }
    ++named_;
}

void stream_audit::add_tags(const std::byte* frame, std::uint64_t offset, commit_word word) {
    const number_list tags = tags_in(frame, word);
    for (std::size_t i = 0; i < tags.size(); ++i) {
        if (stream_head* tip = tags_.find_or_grow(tags[i])) {
            tip->version = load_u64(frame + frame_offset::sequence) + 1;
            tip->last = pack_position(ordinal_, offset);
        } else {
            out_of_memory_ = true;
        }
    }
}

// What is wrong with a head in the file; empty if it is right.
std::string stream_audit::wrong_with(const stream_head& claimed,
                                     const compared_table& tables) const {
    PAWL_ASSERT(claimed.stream != 0);
    const std::string stream = entry_text(claimed.stream, tables.of_tags);
    if (tables.claimed.find(claimed.stream) != &claimed)
        return stream + " is in a slot where a search does not find it";
    const stream_head* head = tables.actual.find(claimed.stream);
    if (head == nullptr)
        return complete_ ? stream + " is not in the log" : std::string{};
    if (claimed.version != head->version && tables.of_tags) {
        return "the events that name " + stream + " end before sequence " +
               std::to_string(head->version) + " in the log but before " +
               std::to_string(claimed.version) + " in the heads";
    }
    if (claimed.version != head->version) {
        return stream + " is at version " + std::to_string(head->version) + " in the log but at " +
               std::to_string(claimed.version) + " in the heads";
    }
    if (claimed.last != head->last) {
        return "the last event of " + stream + " is in " + place_text(head->last) + ", not in " +
               place_text(claimed.last);
    }
    return {};
}

std::optional<stream_fault> stream_audit::compare(const stream_heads& file) const {
    std::optional<stream_fault> found;
    const std::uint64_t tags_offset =
        heads_entries_offset + file.slots.slots() * sizeof(stream_head);
    compare_table({.claimed = file.slots, .actual = heads_, .offset = heads_entries_offset},
                  file.end_sequence, found);
    compare_table({.claimed = file.tags, .actual = tags_, .offset = tags_offset, .of_tags = true},
                  file.end_sequence, found);
    if (complete_)
        compare_names(file, found);
    return found;
}

void stream_audit::compare_table(const compared_table& tables, sequence_number end_sequence,
                                 std::optional<stream_fault>& found) const {
    const auto slots = tables.claimed.all();
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (slots[i].stream == no_stream_id)
            continue;
        if (std::string wrong = wrong_with(slots[i], tables); !wrong.empty()) {
            note(found, tables.offset + i * sizeof(stream_head), end_sequence,
                 [&] { return std::move(wrong); });
        }
    }
    for (const stream_head& head : tables.actual.all()) {
        if (head.stream != no_stream_id && tables.claimed.find(head.stream) == nullptr) {
            note(found, tables.offset, end_sequence, [&] {
                return entry_text(head.stream, tables.of_tags) +
                       " is in the log but not in the heads";
            });
        }
    }
}

void stream_audit::compare_names(const stream_heads& file,
                                 std::optional<stream_fault>& found) const {
    const std::uint64_t at =
        heads_entries_offset + (file.slots.slots() + file.tags.slots()) * sizeof(stream_head);
    for (const auto& [name, stream] : names_) {
        const auto claimed = file.names.find(name);
        if (claimed == file.names.end()) {
            note(found, at, file.end_sequence, [&] {
                return "the name of " + stream_text(stream) + " is in the log but not in the heads";
            });
        } else if (claimed->second != stream) {
            note(found, at, file.end_sequence, [&] {
                return "the name of " + stream_text(stream) + " belongs to " +
                       stream_text(claimed->second) + " in the heads";
            });
        }
    }
    for (const auto& [name, stream] : file.names) {
        if (!names_.contains(name)) {
            note(found, at, file.end_sequence, [&] {
                return "the heads have a name for " + stream_text(stream) +
                       " that is not in the log";
            });
        }
    }
}

}  // namespace pawl::detail
