#include "format/hash.hpp"
#include "format/metadata.hpp"
#include "format/segment_walk.hpp"
#include "os/assertion.hpp"
#include "store/head_slots.hpp"
#include "store/segment_index.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <utility>

namespace pawl::detail {

namespace {

// Gathers an index frame by frame.
class index_builder {
  public:
    explicit index_builder(const frame_space& space) : space_{space} {}

    [[nodiscard]] result<void> start() {
        auto made = head_slots::make(64);
        if (!made)
            return std::unexpected(std::move(made.error()));
        heads_ = std::move(*made);
        return {};
    }

    void add(std::uint64_t offset, commit_word word) {
        PAWL_ASSERT(offset >= first_frame_offset && offset % frame_alignment == 0);
        PAWL_ASSERT(index_.marks.empty() || offset > index_.marks.back().offset);
        const std::byte* frame = space_.base + offset;
        mark(offset, load_u64(frame + frame_offset::sequence));
        if (word.is_system()) {
            note_system(offset, word);
            return;
        }
        const std::uint64_t timestamp = load_u64(frame + frame_offset::timestamp);
        max_timestamp_ = std::max(max_timestamp_, timestamp);
        min_timestamp_ = std::min(min_timestamp_, timestamp);
        count_type(word, frame, timestamp);
        note_stream(offset, frame);
        note_metadata(offset, word, frame);
    }

    // The first fault found in links or versions, or frame_fault::none.
    [[nodiscard]] frame_fault fault() const noexcept { return fault_; }
    [[nodiscard]] std::uint64_t fault_offset() const noexcept { return fault_offset_; }
    [[nodiscard]] bool out_of_memory() const noexcept { return out_of_memory_; }

    [[nodiscard]] segment_index take(const walk_end& end) {
        PAWL_ASSERT(end.ended() && fault_ == frame_fault::none && !out_of_memory_);
        PAWL_ASSERT(end.sequence - end.first_sequence == end.events);
        PAWL_ASSERT(index_.marks.empty() || index_.marks.back().offset < end.offset);
        take_streams();
        take_tags();
        std::ranges::sort(index_.names, {}, [](const indexed_name& name) {
            return std::pair{name.hash, name.offset};
        });
        for (const auto& [key, type] : types_)
            index_.types.push_back(type);
        index_header& header = index_.header;
        header.first_sequence = end.first_sequence;
        header.end_sequence = end.sequence;
        header.end_offset = end.offset;
        header.end_hash = end.end_hash;
        header.successor_epoch = end.end.successor_epoch;
        header.end_type = static_cast<std::uint16_t>(end.end_type);
        header.system_types = system_types_ | std::uint64_t{1} << header.end_type;
        header.min_timestamp_ns = end.events == 0 ? 0 : min_timestamp_;
        header.max_timestamp_ns = max_timestamp_;
        return std::move(index_);
    }

  private:
    void mark(std::uint64_t offset, sequence_number sequence) {
        if (!index_.marks.empty() && offset - index_.marks.back().offset < index_stride)
            return;
        // A reader may begin at any mark, but not inside a batch.
        if ((commit_word{load_u64(space_.base + offset)}.flags() &
             (flag::batch_middle | flag::batch_last)) != 0) {
            return;
        }
        index_.marks.push_back({sequence, offset, max_timestamp_});
    }

    void note_system(std::uint64_t offset, commit_word word) {
        if (word.type() < 64)
            system_types_ |= std::uint64_t{1} << word.type();
        if (classify_system(word) != system_class::stream_name)
            return;
        const std::size_t bytes = word.frame_bytes() - frame_header_bytes;
        const std::byte* name = space_.base + offset + frame_header_bytes;
        index_.names.push_back({hash_bytes(name, bytes), offset});
    }

    void count_type(commit_word word, const std::byte* frame, std::uint64_t timestamp) {
        const std::pair key{word.type(), word.schema_version()};
        const sequence_number sequence = load_u64(frame + frame_offset::sequence);
        if (last_type_ == nullptr || key != last_key_) {
            const index_type fresh{.type = key.first,
                                   .schema_version = key.second,
                                   .reserved = 0,
                                   .events = 0,
                                   .first_sequence = sequence,
                                   .last_sequence = sequence,
                                   .min_timestamp_ns = timestamp,
                                   .max_timestamp_ns = timestamp};
            last_type_ = &types_.try_emplace(key, fresh).first->second;
            last_key_ = key;
        }
        ++last_type_->events;
        last_type_->last_sequence = sequence;
        last_type_->min_timestamp_ns = std::min(last_type_->min_timestamp_ns, timestamp);
        last_type_->max_timestamp_ns = std::max(last_type_->max_timestamp_ns, timestamp);
    }

    // Nothing is taken from metadata that readers call malformed.
    void note_metadata(std::uint64_t offset, commit_word word, const std::byte* frame) {
        const bool goes_on =
            in_command_ && (word.flags() & (flag::batch_middle | flag::batch_last)) != 0;
        in_command_ = false;
        if ((word.flags() & flag::metadata) == 0)
            return;
        const frame_view view = view_frame(frame, word);
        if (!view.fault.empty())
            return;
        const metadata_view metadata{{frame + frame_header_bytes, view.metadata_bytes}};
        const number_list tags = metadata.tags();
        for (std::size_t i = 0; i < tags.size(); ++i)
            tagged_.emplace_back(tags[i], static_cast<index_posting>(offset / frame_alignment));
        if (const auto command = metadata.command())
            note_command(offset, frame, *command, goes_on);
    }

    void note_command(std::uint64_t offset, const std::byte* frame,
                      const command_reference& command, bool goes_on) {
        in_command_ = true;
        PAWL_ASSERT(!goes_on || !index_.commands.empty());
        if (goes_on && index_.commands.back().hash == command.hash &&
            std::memcmp(index_.commands.back().id, command.id.data(), command.id.size()) == 0) {
            ++index_.commands.back().events;
            return;
        }
        index_command made{.id = {},
                           .hash = command.hash,
                           .first_sequence = load_u64(frame + frame_offset::sequence),
                           .first = static_cast<std::uint32_t>(offset / frame_alignment),
                           .events = 1};
        std::memcpy(made.id, command.id.data(), command.id.size());
        index_.commands.push_back(made);
    }

    void take_tags() {
        std::ranges::sort(tagged_);
        for (const auto& [tag, posting] : tagged_) {
            if (index_.tags.empty() || index_.tags.back().tag != tag)
                index_.tags.push_back({tag, static_cast<std::uint32_t>(index_.postings.size()), 0});
            ++index_.tags.back().postings;
            index_.postings.push_back(posting);
        }
    }

    void take_streams() {
        for (const stream_head& head : heads_.all()) {
            if (head.stream == no_stream_id)
                continue;
            const std::uint64_t last = unpack_position(head.last).offset / frame_alignment;
            index_.streams.push_back(
                {head.stream, head.version, static_cast<std::uint32_t>(last), 0});
        }
        std::ranges::sort(index_.streams, {}, &index_stream::stream);
        PAWL_ASSERT(index_.streams.size() == heads_.used());
        for (const stream_id stream : continued_) {
            const auto at =
                std::ranges::lower_bound(index_.streams, stream, {}, &index_stream::stream);
            PAWL_ASSERT(at != index_.streams.end() && at->stream == stream);
            at->segments_back = not_linked;
        }
    }

    void note_stream(std::uint64_t offset, const std::byte* frame) {
        const stream_id stream = load_u64(frame + frame_offset::stream);
        const stream_version version = load_u64(frame + frame_offset::version);
        const std::uint64_t back = load_u32(frame + frame_offset::back);
        if (stream == no_stream_id) {
            if (version != 0 || back != 0)
                note_fault(offset);
            return;
        }
        if (heads_.wants_to_grow() && !grow())
            return;
        stream_head* head = heads_.find_or_insert(stream);
        PAWL_ASSERT(head != nullptr);
        const std::uint64_t previous = unpack_position(head->last).offset;
        PAWL_ASSERT(previous < offset);
        const bool first_here = head->version == 0;
        const std::uint64_t wanted = first_here ? 0 : (offset - previous) / frame_alignment;
        if (back != wanted || version == 0 || (!first_here && version != head->version + 1)) {
            note_fault(offset);
        }
        if (first_here && version != 1)
            continued_.push_back(stream);
        head->version = version;
        head->last = pack_position(0, offset);
    }

    [[nodiscard]] bool grow() {
        auto larger = heads_.grown();
        out_of_memory_ = out_of_memory_ || !larger;
        if (larger)
            heads_ = std::move(*larger);
        return larger.has_value();
    }

    void note_fault(std::uint64_t offset) {
        if (fault_ != frame_fault::none)
            return;
        fault_ = frame_fault::bad_back;
        fault_offset_ = offset;
    }

    frame_space space_;
    segment_index index_;
    head_slots heads_;
    std::vector<stream_id> continued_;  // streams whose first event lies before this segment
    std::uint64_t system_types_ = 0;
    std::map<std::pair<std::uint16_t, std::uint16_t>, index_type> types_;
    std::pair<std::uint16_t, std::uint16_t> last_key_{};
    index_type* last_type_ = nullptr;
    std::uint64_t max_timestamp_ = 0;
    std::uint64_t min_timestamp_ = std::numeric_limits<std::uint64_t>::max();
    frame_fault fault_ = frame_fault::none;
    std::uint64_t fault_offset_ = 0;
    std::vector<std::pair<tag_id, index_posting>> tagged_;  // every tag of every event
    bool in_command_ = false;  // the event before belongs to the last of index_.commands
    bool out_of_memory_ = false;
};

[[nodiscard]] std::unexpected<error> damage(const std::filesystem::path& path, std::uint64_t offset,
                                            sequence_number sequence, frame_fault fault) {
    return std::unexpected(error{.code = code_of(fault),
                                 .offset = offset,
                                 .sequence = sequence,
                                 .file = path.string(),
                                 .detail = std::string{to_string(fault)}});
}

}  // namespace

result<segment_index> build_index(const index_source& source,
                                  const std::filesystem::path& segment) {
    const frame_space& space = source.space;
    index_builder builder{space};
    if (auto started = builder.start(); !started)
        return std::unexpected(std::move(started.error()));
    PAWL_ASSERT(space.bytes - first_frame_offset >= frame_header_bytes);
    const walk_start from{.sequence =
                              load_u64(space.base + first_frame_offset + frame_offset::sequence)};
    const walk_end end = walk_segment(
        space, from, [&](std::uint64_t offset, commit_word word) { builder.add(offset, word); });
    if (!end.ended())
        return damage(segment, end.offset, end.sequence, end.fault);
    if (builder.fault() != frame_fault::none) {
        const auto at = builder.fault_offset();
        return damage(segment, at, load_u64(space.base + at + frame_offset::sequence),
                      builder.fault());
    }
    if (builder.out_of_memory())
        return fail(errc::out_of_memory);
    if (source.behind_end != nullptr && end.end_type != system_type::cut) {
        const auto behind = first_nonzero(space, *source.behind_end, end.offset + end_frame_bytes);
        if (behind != space.bytes) {
            return damage(segment, behind, end.sequence, frame_fault::behind_end);
        }
    }
    segment_index index = builder.take(end);
    index_header& header = index.header;
    header.magic = index_magic;
    header.format_version = format_version;
    header.header_bytes = sizeof header;
    std::memcpy(header.journal, source.id.data(), source.id.size());
    header.ordinal = source.ordinal;
    header.epoch = space.epoch;
    header.commands_back = not_linked;
    return index;
}

}  // namespace pawl::detail
