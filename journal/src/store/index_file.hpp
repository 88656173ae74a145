// An index in its file, probed in place: a lookup reads and checks only the blocks that its binary
// search touches.
#pragma once

#include "format/index_layout.hpp"
#include "os/assertion.hpp"
#include "os/directory_handle.hpp"
#include "os/mapping.hpp"

#include <pawl/journal/error.hpp>
#include <pawl/journal/types.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pawl::detail {

// Used by one thread. Every lookup fails with damaged if a block that it touched is wrong, and with
// io if the file could not be read.
class index_file {
  public:
    // Maps the file, and checks its header and its table of sections. not_found if there is none;
    // damaged if it is not this segment's or one of the checks fails; newer_format if it has
    // something that must be understood but that only a newer program knows.
    [[nodiscard]] static result<index_file> open(const directory_handle& directory,
                                                 const journal_id& id, std::uint64_t ordinal);
    // The same over bytes that the caller keeps; the errors name `path`.
    [[nodiscard]] static result<index_file> over(std::span<const std::byte> bytes,
                                                 const std::filesystem::path& path,
                                                 const journal_id& id, std::uint64_t ordinal);

    [[nodiscard]] const index_header& header() const noexcept { return header_; }

    [[nodiscard]] result<std::optional<index_stream>> find_stream(stream_id stream);
    // The last mark at or before the sequence; none if the sequence lies before the segment.
    [[nodiscard]] result<std::optional<index_mark>> mark_before(sequence_number sequence);
    // The last mark before which no event of the segment has this time or a later one; none if the
    // index has no marks.
    [[nodiscard]] result<std::optional<index_mark>> mark_before_time(std::uint64_t since_ns);
    // Offsets of the name frames whose name may be this one, because its hash is the same.
    [[nodiscard]] result<std::vector<std::uint64_t>> find_name(std::string_view name);

    [[nodiscard]] bool has_commands() const noexcept {
        return at(index_section_kind::commands).count != 0;
    }
    // The commands of the segment, in the order of the log.
    [[nodiscard]] result<std::vector<index_command>> commands();

    // Offsets of the segment's events that name the tag, ascending. Cost: a binary search, and the
    // blocks that hold them.
    [[nodiscard]] result<std::vector<std::uint64_t>> find_tag(tag_id tag);

    // Checks every block.
    [[nodiscard]] result<void> check_all();
    // The bytes of a section's entries. Unchecked before check_all().
    [[nodiscard]] std::span<const std::byte> section(index_section_kind kind) const noexcept;

    // Blocks checked so far, as a measure of what probing costs.
    [[nodiscard]] std::uint64_t blocks_checked() const noexcept { return blocks_checked_; }

  private:
    index_file(std::span<const std::byte> bytes, std::filesystem::path path) noexcept
        : bytes_{bytes}, path_{std::move(path)} {}

    [[nodiscard]] result<void> check_layout();
    [[nodiscard]] result<void> take_section(std::uint64_t at);
    [[nodiscard]] result<void> check_blocks(std::uint64_t begin, std::uint64_t end);
    [[nodiscard]] std::unexpected<error> wrong(std::string detail, std::uint64_t offset) const;
    [[nodiscard]] bool possible_offset(std::uint64_t offset) const noexcept;

    template <class Entry>
    [[nodiscard]] result<Entry> entry(const index_section& from, std::uint64_t number);
    // The last mark for which `is_before` is true.
    template <class Before>
    [[nodiscard]] result<std::optional<index_mark>> last_mark(Before is_before);
    // The first entry for which `before` is false.
    template <class Entry, class Before>
    [[nodiscard]] result<std::uint64_t> partition_point(const index_section& in, Before before);

    [[nodiscard]] const index_section& at(index_section_kind kind) const noexcept {
        PAWL_ASSERT(static_cast<std::size_t>(kind) - 1 < known_sections);
        return sections_[static_cast<std::size_t>(kind) - 1];
    }

    static constexpr std::size_t known_sections = 9;  // some of which no version writes yet

    mapping mapped_;
    std::span<const std::byte> bytes_;
    std::filesystem::path path_;
    index_header header_{};
    std::array<index_section, known_sections> sections_{};
    std::vector<bool> checked_;  // by block
    std::uint64_t blocks_checked_ = 0;
};

// Whether a segment with this header can hold the command.
[[nodiscard]] bool is_possible(const index_command& command, const index_header& in) noexcept;

// Whether a segment with this header can hold these tags: each once, with its postings behind those
// of the tag before it.
[[nodiscard]] bool are_possible(std::span<const index_tag> tags,
                                std::span<const index_posting> postings,
                                const index_header& in) noexcept;

// Checks a header as index_file::open does; `bytes` need not hold more than the header.
[[nodiscard]] result<index_header> check_index_header(std::span<const std::byte> bytes,
                                                      const std::filesystem::path& path,
                                                      const journal_id& id, std::uint64_t ordinal);

}  // namespace pawl::detail
