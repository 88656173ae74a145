#include "store/segment_index.hpp"

#include "format/block_checksum.hpp"
#include "format/metadata.hpp"
#include "format/name_frame.hpp"
#include "format/segment_walk.hpp"
#include "os/assertion.hpp"
#include "os/file.hpp"
#include "store/directory.hpp"
#include "store/index_file.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <utility>

namespace pawl::detail {

const index_stream* segment_index::find_stream(stream_id stream) const noexcept {
    const auto at = std::ranges::lower_bound(streams, stream, {}, &index_stream::stream);
    return at != streams.end() && at->stream == stream ? &*at : nullptr;
}

std::span<const index_posting> segment_index::postings_of(tag_id tag) const noexcept {
    const auto at = std::ranges::lower_bound(tags, tag, {}, &index_tag::tag);
    if (at == tags.end() || at->tag != tag)
        return {};
    return std::span{postings}.subspan(at->first, at->postings);
}

namespace {

[[nodiscard]] bool offsets_possible(const segment_index& index) noexcept {
    const index_header& header = index.header;
    const auto inside = [&](std::uint64_t offset) {
        return offset >= first_frame_offset && offset < header.end_offset &&
               offset % frame_alignment == 0;
    };
    const auto by_hash = [](const indexed_name& name) { return std::pair{name.hash, name.offset}; };
    return std::ranges::all_of(index.marks, inside, &index_mark::offset) &&
           std::ranges::is_sorted(index.marks, {}, &index_mark::sequence) &&
           std::ranges::all_of(index.streams, inside, &index_stream::last_offset) &&
           std::ranges::all_of(
               index.streams, [&](std::uint64_t back) { return back <= header.ordinal; },
               &index_stream::segments_back) &&
           std::ranges::is_sorted(index.streams, {}, &index_stream::stream) &&
           std::ranges::all_of(index.names, inside, &indexed_name::offset) &&
           std::ranges::is_sorted(index.names, {}, by_hash) &&
           header.commands_back <= header.ordinal &&
           std::ranges::all_of(
               index.commands,
               [&](const index_command& command) { return is_possible(command, header); }) &&
           std::ranges::is_sorted(index.commands, {}, &index_command::first_sequence) &&
           are_possible(index.tags, index.postings, header);
}

// Lays out the sections of a file one after the other, each with its entry in the table.
class index_encoder {
  public:
    explicit index_encoder(std::uint32_t sections)
        : sections_{sections}, file_(sizeof(index_header) + sections * sizeof(index_section)) {}

    template <class Entry>
    void add(index_section_kind kind, std::uint16_t flags, const std::vector<Entry>& entries) {
        PAWL_ASSERT(sizeof(index_section) <=
                    sizeof(index_header) + sections_ * sizeof(index_section) - next_entry_);
        const auto bytes = std::as_bytes(std::span{entries});
        const index_section section{.kind = static_cast<std::uint16_t>(kind),
                                    .flags = flags,
                                    .entry_bytes = sizeof(Entry),
                                    .count = entries.size(),
                                    .offset = file_.size(),
                                    .bytes = bytes.size()};
        std::memcpy(file_.data() + next_entry_, &section, sizeof section);
        next_entry_ += sizeof section;
        file_.insert(file_.end(), bytes.begin(), bytes.end());
        file_.resize(padded(file_.size()));
    }

    [[nodiscard]] std::vector<std::byte> finish(index_header header) {
        PAWL_ASSERT(next_entry_ == sizeof(index_header) + sections_ * sizeof(index_section));
        header.sections = sections_;
        header.checksums_offset = file_.size();
        header.checksum = header_checksum(header);
        std::memcpy(file_.data(), &header, sizeof header);
        const std::size_t content = file_.size();
        for (std::uint64_t offset = 0; offset < content; offset += checked_block_bytes) {
            const std::uint64_t checksum =
                block_checksum(std::span{file_}.first(content), offset, header.epoch);
            const auto bytes = std::as_bytes(std::span{&checksum, 1});
            file_.insert(file_.end(), bytes.begin(), bytes.end());
        }
        return std::move(file_);
    }

    void reserve(std::size_t bytes) { file_.reserve(bytes); }

  private:
    std::uint32_t sections_;
    std::vector<std::byte> file_;
    std::size_t next_entry_ = sizeof(index_header);
};

// The entries of a section whose blocks have been checked.
template <class Entry>
[[nodiscard]] std::vector<Entry> take(const index_file& from, index_section_kind kind) {
    const auto bytes = from.section(kind);
    PAWL_ASSERT(bytes.size() % sizeof(Entry) == 0);
    std::vector<Entry> entries(bytes.size() / sizeof(Entry));
    if (!entries.empty())
        std::memcpy(entries.data(), bytes.data(), bytes.size());
    return entries;
}

[[nodiscard]] result<segment_index> take_all(index_file& from, const std::filesystem::path& path) {
    if (auto right = from.check_all(); !right)
        return std::unexpected(std::move(right.error()));
    segment_index index{.header = from.header(),
                        .marks = take<index_mark>(from, index_section_kind::marks),
                        .streams = take<index_stream>(from, index_section_kind::streams),
                        .names = take<indexed_name>(from, index_section_kind::names),
                        .types = take<index_type>(from, index_section_kind::types),
                        .commands = take<index_command>(from, index_section_kind::commands),
                        .tags = take<index_tag>(from, index_section_kind::tags),
                        .postings = take<index_posting>(from, index_section_kind::postings)};
    if (offsets_possible(index))
        return index;
    return std::unexpected(error{.code = errc::damaged,
                                 .offset = 0,
                                 .file = path.string(),
                                 .detail = "the index's sections are not in order, or name places "
                                           "outside the segment"});
}

}  // namespace

result<segment_index> index_from_frames(const read_segment& segment,
                                        const directory_handle& directory, const journal_id& id) {
    const std::uint64_t ordinal = segment.header.ordinal;
    auto built = build_index({.space = segment.space(), .id = id, .ordinal = ordinal},
                             directory.path_of(segment_name(ordinal)));
    // A lost page reads as zeros: the error is that it could not be read.
    if (auto whole = segment.bytes.whole(); !whole)
        return std::unexpected(std::move(whole.error()));
    return built;
}

std::vector<std::byte> encode_index(const segment_index& index) {
    PAWL_ASSERT(index.header.commands_back != not_linked);
    PAWL_ASSERT(std::ranges::find(index.streams, not_linked, &index_stream::segments_back) ==
                index.streams.end());
    PAWL_ASSERT(index.tags.empty() == index.postings.empty());
    constexpr std::uint32_t always = 4;
    const bool commands = !index.commands.empty();
    const bool tags = !index.tags.empty();
    index_encoder encoder{always + (commands ? 1U : 0U) + (tags ? 2U : 0U)};
    const std::size_t entries =
        index.marks.size() * sizeof(index_mark) + index.streams.size() * sizeof(index_stream) +
        index.names.size() * sizeof(indexed_name) + index.types.size() * sizeof(index_type) +
        index.commands.size() * sizeof(index_command) + index.tags.size() * sizeof(index_tag) +
        index.postings.size() * sizeof(index_posting);
    constexpr std::size_t rest = 1024;
    encoder.reserve(entries + entries / 512 + rest);
    encoder.add(index_section_kind::marks, 0, index.marks);
    encoder.add(index_section_kind::streams, section_must_be_known, index.streams);
    encoder.add(index_section_kind::names, section_must_be_known, index.names);
    encoder.add(index_section_kind::types, 0, index.types);
    if (tags)
        encoder.add(index_section_kind::tags, section_must_be_known, index.tags);
    if (commands)
        encoder.add(index_section_kind::commands, section_must_be_known, index.commands);
    if (tags)
        encoder.add(index_section_kind::postings, section_must_be_known, index.postings);
    return encoder.finish(index.header);
}

result<void> write_index(const directory_handle& directory, const segment_index& index) {
    const std::vector<std::byte> bytes = encode_index(index);
    const std::array parts{std::span<const std::byte>{bytes}};
    return directory.write_whole(index_name(index.header.ordinal), parts);
}

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

// Through the file: a page of the mapping that is touched stays in the page cache.
bool is_of_segment(const index_header& index, const read_segment& segment) {
    if (index.epoch != segment.header.epoch || index.end_offset % frame_alignment != 0 ||
        segment.bytes.size() < end_frame_bytes ||
        index.end_offset > segment.bytes.size() - end_frame_bytes)
        return false;
    alignas(frame_alignment) std::array<std::byte, end_frame_bytes> frame{};
    if (!segment.source.read_at(frame, index.end_offset, file::cached::goes))
        return false;
    // As an integer, because the segment's first byte is nowhere in memory.
    const auto origin = std::bit_cast<std::uintptr_t>(frame.data()) - index.end_offset;
    const frame_space space{std::bit_cast<const std::byte*>(origin),
                            index.end_offset + end_frame_bytes, index.epoch};
    const commit_word word{load_commit(frame.data())};
    if (check_in_order(space, index.end_offset, index.end_sequence) != frame_fault::none ||
        !is_end(word))
        return false;
    walk_end end{};
    take_end(end, frame.data(), word);
    return static_cast<std::uint16_t>(end.end_type) == index.end_type &&
           end.end_hash == index.end_hash && end.end.successor_epoch == index.successor_epoch;
}

bool is_at_its_place(const index_stream& stream, const frame_space& space) noexcept {
    const std::uint64_t offset = stream.last_offset();
    if (!has_room_for_header(space, offset))
        return false;
    const std::byte* frame = space.base + offset;
    const commit_word word{load_commit(frame)};
    return check_frame(space, offset, word) == frame_fault::none && !word.is_system() &&
           load_u64(frame + frame_offset::stream) == stream.stream &&
           load_u64(frame + frame_offset::version) == stream.version;
}

bool names_tag(const frame_space& space, std::uint64_t offset, tag_id tag) noexcept {
    if (!has_room_for_header(space, offset))
        return false;
    const std::byte* frame = space.base + offset;
    const commit_word word{load_commit(frame)};
    if (check_frame(space, offset, word) != frame_fault::none || word.is_system())
        return false;
    return tags_in(frame, word).contains(tag);
}

bool lists_what_is_there(const segment_index& index, const frame_space& space) noexcept {
    return std::ranges::all_of(
               index.streams,
               [&](const index_stream& each) { return is_at_its_place(each, space); }) &&
           std::ranges::all_of(
               index.names,
               [&](const indexed_name& each) { return name_at(space, each.offset).has_value(); }) &&
           std::ranges::all_of(index.tags, [&](const index_tag& each) {
               PAWL_ASSERT(each.postings != 0 &&
                           each.postings <= index.postings.size() - each.first);
               const index_posting last = index.postings[each.first + each.postings - 1];
               return names_tag(space, std::uint64_t{last} * frame_alignment, each.tag);
           });
}

result<segment_index> read_index(const directory_handle& directory, const journal_id& id,
                                 std::uint64_t ordinal) {
    auto opened = index_file::open(directory, id, ordinal);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    return take_all(*opened, directory.path_of(index_name(ordinal)));
}

result<segment_index> parse_index(std::span<const std::byte> bytes,
                                  const std::filesystem::path& path, const journal_id& id,
                                  std::uint64_t ordinal) {
    auto over = index_file::over(bytes, path, id, ordinal);
    if (!over)
        return std::unexpected(std::move(over.error()));
    return take_all(*over, path);
}

}  // namespace pawl::detail
