#include "store/segment_file.hpp"

#include "format/hash.hpp"
#include "os/assertion.hpp"
#include "os/file.hpp"
#include "store/directory.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace pawl::detail {

namespace {

[[nodiscard]] segment_header make_header(const segment_request& request) {
    PAWL_ASSERT(request.segment_bytes >= min_segment_bytes);
    PAWL_ASSERT(request.segment_bytes <= max_segment_bytes);
    PAWL_ASSERT(request.before.epoch != 0 || request.before.end_offset == 0);
    PAWL_ASSERT(request.before.epoch != 0 || request.before.start_sequence == 0);
    PAWL_ASSERT(request.before.end_offset % frame_alignment == 0);
    segment_header header{};
    header.magic = segment_magic;
    header.format_version = format_version;
    header.header_bytes = sizeof header;
    std::memcpy(header.journal, request.id.data(), sizeof header.journal);
    header.ordinal = request.ordinal;
    header.epoch = random_nonzero();
    header.segment_bytes = request.segment_bytes;
    header.created_ns = system_time_ns();
    header.predecessor_epoch = request.before.epoch;
    header.predecessor_end_offset = request.before.end_offset;
    header.predecessor_end_hash = request.before.end_hash;
    header.start_sequence = request.before.start_sequence;
    header.checksum = header_checksum(header);
    return header;
}

struct header_check {
    segment_header header{};
    bool one_bad = false;
    std::string note{};
};

// Why a copy of the header is invalid; empty if it is valid.
[[nodiscard]] std::string fault_of(const segment_header& header) {
    if (header.magic != segment_magic)
        return "no segment header";
    if (header.checksum != header_checksum(header))
        return "header checksum mismatch";
    return {};
}

[[nodiscard]] result<header_check> check_headers(const file& source, const journal_id& id,
                                                 std::uint64_t ordinal) {
    const auto wrong = [&](errc code, std::string detail) {
        return std::unexpected(error{.code = code,
                                     .offset = 0,
                                     .file = source.path().string(),
                                     .detail = std::move(detail)});
    };
    std::array<segment_header, 2> copies{};
    std::array<std::string, 2> faults{};
    for (std::size_t i = 0; i < 2; ++i) {
        const auto into = std::as_writable_bytes(std::span{&copies[i], 1});
        if (auto read = source.read_at(into, i * header_copy_offset); !read) {
            if (read.error().code != errc::damaged)
                return std::unexpected(std::move(read.error()));
            faults[i] = "the file ends inside the header";
        } else {
            faults[i] = fault_of(copies[i]);
        }
    }
    if (!faults[0].empty() && !faults[1].empty()) {
        return wrong(errc::damaged, "both header copies are unreadable: " + faults[0]);
    }
    header_check found;
    found.header = faults[0].empty() ? copies[0] : copies[1];
    if (!faults[0].empty() || !faults[1].empty()) {
        found.one_bad = true;
        found.note = faults[0].empty() ? "second header copy: " + faults[1]
                                       : "first header copy: " + faults[0];
    }
    const segment_header& header = found.header;
    if (header.format_version > format_version || header.incompatible != 0) {
        return wrong(errc::newer_format, "segment of a newer format");
    }
    if (std::memcmp(header.journal, id.data(), id.size()) != 0) {
        return wrong(errc::damaged, "the segment belongs to another journal");
    }
    if (header.ordinal != ordinal)
        return wrong(errc::damaged, "the segment has another ordinal");
    if (header.segment_bytes < min_segment_bytes || header.segment_bytes > max_segment_bytes ||
        header.epoch == 0) {
        return wrong(errc::damaged, "header values out of range");
    }
    return found;
}

struct opened_segment {
    file source;
    header_check check;
};

struct sized_segment {
    opened_segment opened;
    std::uint64_t bytes = 0;  // of the file
};

[[nodiscard]] result<sized_segment> open_and_measure(const directory_handle& directory,
                                                     const journal_id& id, std::uint64_t ordinal,
                                                     file::access mode) {
    auto source = directory.open(segment_name(ordinal), mode);
    if (!source) {
        if (source.error().code == errc::not_found)
            source.error().code = errc::missing_segment;
        return std::unexpected(std::move(source.error()));
    }
    auto size = source->size();
    if (!size)
        return std::unexpected(std::move(size.error()));
    auto check = check_headers(*source, id, ordinal);
    if (!check)
        return std::unexpected(std::move(check.error()));
    return sized_segment{{std::move(*source), std::move(*check)}, *size};
}

[[nodiscard]] result<opened_segment> open_and_check(const directory_handle& directory,
                                                    const journal_id& id, std::uint64_t ordinal,
                                                    file::access mode) {
    auto measured = open_and_measure(directory, id, ordinal, mode);
    if (!measured)
        return std::unexpected(std::move(measured.error()));
    if (measured->bytes < measured->opened.check.header.segment_bytes) {
        return std::unexpected(error{.code = errc::damaged,
                                     .offset = measured->bytes,
                                     .file = measured->opened.source.path().string(),
                                     .detail = "the file ends before its segment does"});
    }
    return std::move(measured->opened);
}

[[nodiscard]] result<read_segment> map_for_reading(opened_segment opened, std::uint64_t bytes) {
    PAWL_ASSERT(bytes > first_frame_offset && bytes <= opened.check.header.segment_bytes);
    const auto which = opened.source.identity();
    if (!which)
        return std::unexpected(which.error());
    auto mapped = mapping::of(opened.source, mapping::access::read, bytes);
    if (!mapped)
        return std::unexpected(std::move(mapped.error()));
    return read_segment{opened.check.header,      std::move(*mapped),
                        std::move(opened.source), *which,
                        opened.check.one_bad,     std::move(opened.check.note)};
}

}  // namespace

result<writable_segment> create_segment(const segment_request& request) {
    const directory_handle& directory = request.directory;
    const std::string name = segment_name(request.ordinal);
    std::string temporary = name;
    temporary += ".tmp";
    const segment_header header = make_header(request);
    const auto bytes = std::as_bytes(std::span{&header, 1});

    auto fresh = directory.open(temporary, file::access::create);
    if (!fresh)
        return std::unexpected(std::move(fresh.error()));
    const auto build = [&]() -> result<void> {
        fresh->write_in_place();
        const auto room = std::min(request.allocate_bytes, request.segment_bytes);
        PAWL_ASSERT(room >= first_frame_offset);
        if (auto done = fresh->allocate(room); !done)
            return done;
        if (room != request.segment_bytes) {
            if (auto done = fresh->extend(request.segment_bytes); !done)
                return done;
        }
        if (auto done = fresh->write_at(bytes, 0); !done)
            return done;
        if (auto done = fresh->write_at(bytes, header_copy_offset); !done)
            return done;
        if (auto done = fresh->sync(); !done)
            return done;
        if (auto done = directory.rename(temporary, name, request.existing); !done)
            return done;
        fresh->renamed(directory.path_of(name));
        return directory.sync();
    };
    if (auto built = build(); !built) {
        // What is left only takes up space, so a failure to remove it changes nothing.
        (void)directory.unlink(temporary);
        return std::unexpected(std::move(built.error()));
    }
    auto mapped = mapping::of(*fresh, mapping::access::read_write, request.segment_bytes);
    if (!mapped)
        return std::unexpected(std::move(mapped.error()));
    return writable_segment{header, std::move(*mapped), std::move(*fresh)};
}

result<void> release_zero_space(const file& source, std::uint64_t offset,
                                std::uint64_t segment_bytes) {
    PAWL_ASSERT(offset <= segment_bytes);
    const std::uint64_t from = (offset + page_bytes() - 1) / page_bytes() * page_bytes();
    return from < segment_bytes ? source.punch(from, segment_bytes - from) : result<void>{};
}

result<read_segment> open_segment(const directory_handle& directory, const journal_id& id,
                                  std::uint64_t ordinal) {
    auto opened = open_and_check(directory, id, ordinal, file::access::read);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    const std::uint64_t bytes = opened->check.header.segment_bytes;
    return map_for_reading(std::move(*opened), bytes);
}

result<read_segment> open_shortened_segment(const directory_handle& directory, const journal_id& id,
                                            std::uint64_t ordinal) {
    auto measured = open_and_measure(directory, id, ordinal, file::access::read);
    if (!measured)
        return std::unexpected(std::move(measured.error()));
    const std::uint64_t bytes = measured->bytes / frame_alignment * frame_alignment;
    if (bytes >= measured->opened.check.header.segment_bytes || bytes <= first_frame_offset) {
        return std::unexpected(error{.code = errc::damaged,
                                     .offset = measured->bytes,
                                     .file = measured->opened.source.path().string(),
                                     .detail = "no part of the segment's frames"});
    }
    return map_for_reading(std::move(measured->opened), bytes);
}

result<segment_header> check_segment_header(const directory_handle& directory, const journal_id& id,
                                            std::uint64_t ordinal) {
    auto opened = open_and_check(directory, id, ordinal, file::access::read);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    return opened->check.header;
}

namespace {

// Replaces the file by a copy. A crash before the rename leaves a temporary file; one after it
// leaves a copy that holds the same bytes.
[[nodiscard]] result<void> replace_by_copy(const directory_handle& directory,
                                           const opened_segment& segment) {
    const std::string name = segment_name(segment.check.header.ordinal);
    const std::uint64_t bytes = segment.check.header.segment_bytes;
    auto source = mapping::of(segment.source, mapping::access::read, bytes);
    if (!source)
        return std::unexpected(std::move(source.error()));
    auto copy = directory.open(name + ".tmp", file::access::create);
    if (!copy)
        return std::unexpected(std::move(copy.error()));
    copy->write_in_place();
    if (auto done = copy->allocate(bytes); !done)
        return done;
    const data_ranges data = data_ranges::of(segment.source, bytes);
    for (const byte_range& range : data.all()) {
        const auto part = std::span{source->data(), source->size()}.subspan(
            static_cast<std::size_t>(range.begin),
            static_cast<std::size_t>(range.end - range.begin));
        if (auto done = copy->write_at(part, range.begin); !done)
            return done;
    }
    if (auto whole = source->whole(); !whole)
        return whole;
    if (auto done = copy->sync(); !done)
        return done;
    if (auto done = directory.rename(name + ".tmp", name, directory_handle::on_existing::replace);
        !done)
        return done;
    return directory.sync();
}

}  // namespace

result<writable_segment> open_segment_for_repair(const directory_handle& directory,
                                                 const journal_id& id, std::uint64_t ordinal) {
    auto opened = open_and_check(directory, id, ordinal, file::access::read_write);
    if (!opened)
        return std::unexpected(std::move(opened.error()));
    // Another name means a copy of the journal made of hard links, which must not change.
    const auto links = directory.links_of(segment_name(ordinal));
    if (!links)
        return std::unexpected(links.error());
    if (*links > 1) {
        if (auto copied = replace_by_copy(directory, *opened); !copied)
            return std::unexpected(std::move(copied.error()));
        opened = open_and_check(directory, id, ordinal, file::access::read_write);
        if (!opened)
            return std::unexpected(std::move(opened.error()));
    }
    auto mapped = mapping::of(opened->source, mapping::access::read_write,
                              opened->check.header.segment_bytes);
    if (!mapped)
        return std::unexpected(std::move(mapped.error()));
    return writable_segment{opened->check.header, std::move(*mapped), std::move(opened->source)};
}

}  // namespace pawl::detail
