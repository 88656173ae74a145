#include "store/segment_index.hpp"

#include "format/hash.hpp"
#include "format/segment_walk.hpp"
#include "os/file.hpp"
#include "store/directory.hpp"
#include "store/head_slots.hpp"

#include <algorithm>
#include <array>
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
        const std::byte* frame = space_.base + offset;
        mark(offset, load_u64(frame + frame_offset::sequence));
        if (word.is_system()) {
            if (classify_system(word) == system_class::stream_name)
                index_.names.push_back(offset);
            return;
        }
        const std::uint64_t timestamp = load_u64(frame + frame_offset::timestamp);
        max_timestamp_ = std::max(max_timestamp_, timestamp);
        min_timestamp_ = std::min(min_timestamp_, timestamp);
        count_type(word);
        note_stream(offset, frame);
    }

    // The first fault found in links or versions; none where there is none.
    [[nodiscard]] frame_fault fault() const noexcept { return fault_; }
    [[nodiscard]] std::uint64_t fault_offset() const noexcept { return fault_offset_; }
    [[nodiscard]] bool out_of_memory() const noexcept { return out_of_memory_; }

    [[nodiscard]] segment_index take(const walk_end& end) {
        for (const stream_head& head : heads_.all()) {
            if (head.stream == no_stream_id)
                continue;
            index_.streams.push_back(
                {head.stream, head.version, unpack_position(head.last).offset});
        }
        std::ranges::sort(index_.streams, {}, &index_stream::stream);
        for (const auto& [key, events] : types_) {
            index_.types.push_back({key.first, key.second, 0, events});
        }
        index_header& header = index_.header;
        header.first_sequence = end.first_sequence;
        header.end_sequence = end.sequence;
        header.end_offset = end.offset;
        header.end_hash = end.end_hash;
        header.successor_epoch = end.end.successor_epoch;
        header.end_type = static_cast<std::uint16_t>(end.end_type);
        header.min_timestamp_ns = end.events == 0 ? 0 : min_timestamp_;
        header.max_timestamp_ns = max_timestamp_;
        return std::move(index_);
    }

  private:
    void mark(std::uint64_t offset, sequence_number sequence) {
        if (!index_.marks.empty() && offset - index_.marks.back().offset < index_stride)
            return;
        // A mark inside a batch would let a reader begin there.
        if ((commit_word{load_u64(space_.base + offset)}.flags() &
             (flag::batch_middle | flag::batch_last)) != 0) {
            return;
        }
        index_.marks.push_back({sequence, offset, max_timestamp_});
    }

    void count_type(commit_word word) {
        const std::pair key{word.type(), word.schema_version()};
        if (last_type_ == nullptr || key != last_key_) {
            last_type_ = &types_[key];
            last_key_ = key;
        }
        ++*last_type_;
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
        const std::uint64_t previous = unpack_position(head->last).offset;
        const bool first_here = head->version == 0;
        const std::uint64_t wanted = first_here ? 0 : (offset - previous) / frame_alignment;
        if (back != wanted || version == 0 || (!first_here && version != head->version + 1)) {
            note_fault(offset);
        }
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
    std::map<std::pair<std::uint16_t, std::uint16_t>, std::uint64_t> types_;
    std::pair<std::uint16_t, std::uint16_t> last_key_{};
    std::uint64_t* last_type_ = nullptr;
    std::uint64_t max_timestamp_ = 0;
    std::uint64_t min_timestamp_ = std::numeric_limits<std::uint64_t>::max();
    frame_fault fault_ = frame_fault::none;
    std::uint64_t fault_offset_ = 0;
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

template <class Entry>
[[nodiscard]] std::span<const std::byte> bytes_of(const std::vector<Entry>& entries) noexcept {
    return std::as_bytes(std::span{entries});
}

// Takes `count` entries off the front of `from`; false where there are not so many.
template <class Entry>
[[nodiscard]] bool take(std::span<const std::byte>& from, std::uint64_t count,
                        std::vector<Entry>& into) {
    if (count > from.size() / sizeof(Entry))
        return false;
    into.resize(static_cast<std::size_t>(count));
    if (count != 0)
        std::memcpy(into.data(), from.data(), into.size() * sizeof(Entry));
    from = from.subspan(into.size() * sizeof(Entry));
    return true;
}

[[nodiscard]] bool offsets_possible(const segment_index& index) noexcept {
    const index_header& header = index.header;
    const auto inside = [&](std::uint64_t offset) {
        return offset >= first_frame_offset && offset < header.end_offset &&
               offset % frame_alignment == 0;
    };
    return header.end_offset >= first_frame_offset &&
           header.first_sequence <= header.end_sequence &&
           std::ranges::all_of(index.marks, inside, &index_mark::offset) &&
           std::ranges::is_sorted(index.marks, {}, &index_mark::sequence) &&
           std::ranges::all_of(index.streams, inside, &index_stream::last_offset) &&
           std::ranges::is_sorted(index.streams, {}, &index_stream::stream) &&
           std::ranges::all_of(index.names, inside);
}

}  // namespace

const index_stream* segment_index::find_stream(stream_id stream) const noexcept {
    const auto at = std::ranges::lower_bound(streams, stream, {}, &index_stream::stream);
    return at != streams.end() && at->stream == stream ? &*at : nullptr;
}

result<segment_index> build_index(const index_source& source,
                                  const std::filesystem::path& segment) {
    const frame_space& space = source.space;
    index_builder builder{space};
    if (auto started = builder.start(); !started)
        return std::unexpected(std::move(started.error()));
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
    header.marks = index.marks.size();
    header.streams = index.streams.size();
    header.names = index.names.size();
    header.types = index.types.size();
    return index;
}

result<void> write_index(const directory_handle& directory, const segment_index& index,
                         std::uint32_t mode) {
    index_header header = index.header;
    const std::array body{bytes_of(index.marks), bytes_of(index.streams), bytes_of(index.names),
                          bytes_of(index.types)};
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    for (const auto part : body)
        XXH3_64bits_update(&state, part.data(), part.size());
    header.body_checksum = XXH3_64bits_digest(&state);
    header.checksum = header_checksum(header);
    const std::array parts{std::as_bytes(std::span{&header, 1}), body[0], body[1], body[2],
                           body[3]};
    return directory.write_whole(index_name(header.ordinal), parts, mode);
}

namespace {

[[nodiscard]] std::unexpected<error> bad_index(const std::filesystem::path& path,
                                               std::string detail) {
    return std::unexpected(error{
        .code = errc::damaged, .offset = 0, .file = path.string(), .detail = std::move(detail)});
}

[[nodiscard]] result<index_header> check_index_header(std::span<const std::byte> bytes,
                                                      const std::filesystem::path& path,
                                                      const journal_id& id, std::uint64_t ordinal) {
    index_header header{};
    if (bytes.size() < sizeof header)
        return bad_index(path, "shorter than an index header");
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.magic != index_magic)
        return bad_index(path, "not an index");
    if (header.format_version > format_version)
        return bad_index(path, "index of a newer format");
    if (header.checksum != header_checksum(header)) {
        return bad_index(path, "index header checksum mismatch");
    }
    if (std::memcmp(header.journal, id.data(), id.size()) != 0 || header.ordinal != ordinal) {
        return bad_index(path, "the index belongs to another segment");
    }
    return header;
}

}  // namespace

result<index_header> read_index_header(const directory_handle& directory, const journal_id& id,
                                       std::uint64_t ordinal) {
    auto opened = directory.open(index_name(ordinal), file::access::read);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    std::array<std::byte, sizeof(index_header)> bytes{};
    if (auto read = opened->read_at(bytes, 0); !read)
        return std::unexpected(std::move(read.error()));
    return check_index_header(bytes, opened->path(), id, ordinal);
}

result<index_mark> read_mark_before(const directory_handle& directory, const index_header& header,
                                    sequence_number sequence) {
    auto opened = directory.open(index_name(header.ordinal), file::access::read);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    index_mark found{};
    std::uint64_t begin = 0;
    std::uint64_t end = header.marks;
    while (begin < end) {
        const std::uint64_t middle = begin + (end - begin) / 2;
        index_mark mark{};
        if (auto read = opened->read_at(std::as_writable_bytes(std::span{&mark, 1}),
                                        sizeof header + middle * sizeof mark);
            !read)
            return std::unexpected(std::move(read.error()));
        if (mark.sequence <= sequence) {
            found = mark;
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    return found;
}

result<segment_index> read_index(const directory_handle& directory, const journal_id& id,
                                 std::uint64_t ordinal) {
    constexpr std::uint64_t largest = max_segment_bytes;
    const auto bytes = directory.read_whole(index_name(ordinal), largest);
    if (!bytes)
        return std::unexpected(bytes.error());
    return parse_index(*bytes, directory.path_of(index_name(ordinal)), id, ordinal);
}

result<segment_index> parse_index(std::span<const std::byte> bytes,
                                  const std::filesystem::path& path, const journal_id& id,
                                  std::uint64_t ordinal) {
    auto header = check_index_header(bytes, path, id, ordinal);
    if (!header)
        return std::unexpected(std::move(header.error()));
    segment_index index;
    index.header = *header;
    auto rest = bytes.subspan(sizeof(index_header));
    if (hash_bytes(rest.data(), rest.size()) != header->body_checksum)
        return bad_index(path, "index checksum mismatch");
    if (!take(rest, header->marks, index.marks) || !take(rest, header->streams, index.streams) ||
        !take(rest, header->names, index.names) || !take(rest, header->types, index.types) ||
        !rest.empty() || !offsets_possible(index)) {
        return bad_index(path, "index sections do not fit");
    }
    return index;
}

}  // namespace pawl::detail
