#include "encoder.hpp"

#include <xxhash.h>

#include <algorithm>
#include <utility>

namespace golden {

namespace {

constexpr std::size_t segment_frames_at = 8192;

// The first fields of every file: magic, format version, bytes of the structure.
image begin(std::size_t bytes, std::string_view magic, std::uint64_t structure_bytes) {
    image made{bytes};
    made.text(0, magic);
    made.u32(8, 1);
    made.u32(12, structure_bytes);
    return made;
}

std::uint64_t first_word(std::string_view journal) {
    image id{16};
    id.text(0, journal);
    return id.u64(0);
}

}  // namespace

void image::text(std::size_t at, std::string_view value) {
    bytes_.replace(at, value.size(), value);
}

void image::put(std::size_t at, std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i)
        bytes_.at(at + i) = static_cast<char>(value >> (8 * i) & 0xff);
}

std::uint64_t image::u64(std::size_t at) const {
    std::uint64_t value = 0;
    for (std::size_t i = 8; i-- > 0;)
        value = value << 8 | static_cast<unsigned char>(bytes_.at(at + i));
    return value;
}

std::uint64_t image::hash(std::size_t from, std::size_t to) const {
    return XXH3_64bits(bytes_.data() + from, to - from);
}

std::uint64_t mix(std::uint64_t x) {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccd;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53;
    x ^= x >> 33;
    return x;
}

image encode_identity(const identity_fields& fields) {
    image made = begin(128, "PWLJRNL1", 128);
    made.text(40, fields.journal);
    made.u64(56, fields.created_ns);
    made.u64(64, fields.segment_bytes);
    made.text(72, fields.origin.empty() ? fields.journal : fields.origin);
    made.u64(120, made.hash(0, 120));
    return made;
}

image encode_header(const header_fields& fields) {
    image made = begin(256, "PWLSEG01", 256);
    made.text(40, fields.journal);
    made.u64(56, fields.ordinal);
    made.u64(64, fields.epoch);
    made.u64(72, fields.segment_bytes);
    made.u64(80, fields.created_ns);
    made.u64(88, fields.predecessor_epoch);
    made.u64(96, fields.predecessor_end_offset);
    made.u64(104, fields.predecessor_end_hash);
    made.u64(112, fields.start_sequence);
    made.u64(248, made.hash(0, 248));
    return made;
}

image encode_frame(const frame_fields& fields, std::uint64_t epoch, std::uint64_t offset) {
    const std::size_t bytes = 56 + fields.metadata.size() + fields.payload.size();
    image made{(bytes + 7) / 8 * 8};
    made.u32(0, bytes | std::uint64_t{fields.flags} << 24);
    made.u16(4, fields.type);
    made.u16(6, fields.schema_version);
    made.u32(16, fields.back);
    made.u32(20, fields.witness);
    made.u64(24, fields.sequence);
    made.u64(32, fields.timestamp_ns);
    made.u64(40, fields.stream);
    made.u64(48, fields.version);
    made.text(56, fields.metadata);
    made.text(56 + fields.metadata.size(), fields.payload);
    const std::uint64_t place = mix(epoch + offset * 0x9e3779b97f4a7c15);
    made.u64(8, content_hash(made) ^ mix(place ^ made.u64(16)));
    return made;
}

std::uint64_t content_hash(const image& frame) {
    return frame.hash(24, frame.bytes().size()) ^ mix(frame.u64(0));
}

std::string encode_end(const end_fields& fields) {
    image made{40};
    made.u64(0, fields.successor_epoch);
    made.u64(8, fields.first_sequence);
    made.u64(16, fields.events);
    made.u64(24, fields.lost_about);
    made.u64(32, fields.torn_bytes);
    return made.bytes();
}

std::string encode_metadata(const std::vector<metadata_fields>& entries) {
    image made{0};
    for (const metadata_fields& fields : entries) {
        image entry{8 + (fields.value.size() + 7) / 8 * 8};
        entry.u16(0, fields.tag);
        entry.u16(2, (fields.critical ? 1u : 0u) | (&fields == &entries.back() ? 2u : 0u));
        entry.u32(4, fields.value.size());
        entry.text(8, fields.value);
        made.append(entry);
    }
    return made.bytes();
}

std::string encode_clock(const clock_fields& fields) {
    image made{48};
    made.u16(0, fields.source | fields.synchronised << 8);
    made.u64(8, fields.estimated_error_ns);
    made.u64(16, fields.maximum_error_ns);
    made.u64(24, fields.tsc_hz);
    made.u64(32, static_cast<std::uint64_t>(fields.drift_ns));
    made.u64(40, fields.steps);
    return made.bytes();
}

std::string encode_description(const description_fields& fields) {
    const std::size_t bytes_at = 8 + (fields.name.size() + 7) / 8 * 8;
    image made{bytes_at + fields.bytes.size()};
    made.u16(0, fields.type);
    made.u16(2, fields.schema_version);
    made.u32(4, fields.name.size());
    made.text(8, fields.name);
    made.text(bytes_at, fields.bytes);
    return made.bytes();
}

segment_image::segment_image(const header_fields& header)
    : epoch_{header.epoch}, next_{segment_frames_at}, whole_{header.segment_bytes} {
    const image copy = encode_header(header);
    whole_.text(0, copy.bytes());
    whole_.text(4096, copy.bytes());
}

std::uint64_t segment_image::add(const frame_fields& frame) {
    const std::uint64_t at = next_;
    const image made = encode_frame(frame, epoch_, at);
    whole_.text(at, made.bytes());
    next_ += made.bytes().size();
    return at;
}

void segment_image::scribble(std::string_view bytes, std::size_t skip) {
    whole_.text(next_ + skip, bytes);
}

image encode_control(const control_fields& fields) {
    constexpr std::size_t block = 4096;
    image made = begin(4 * block, "PWLCNTR1", block);
    made.text(16, fields.journal);
    made.u64(32, made.hash(0, 32));

    made.u64(block, fields.durable);
    made.u64(block + 8, mix(fields.durable ^ first_word(fields.journal)));
    made.u64(block + 16, fields.published);
    made.u64(block + 24, fields.heartbeat_ns);
    made.u64(block + 32, fields.process);
    made.u64(block + 40, fields.state);
    made.u32(block + 48, fields.wake);
    made.u32(block + 52, fields.os_error);
    made.text(block + 56, fields.host);
    made.text(block + 120, fields.program);
    made.text(block + 184, fields.boot);
    for (std::size_t i = 0; i < fields.statistics.size(); ++i)
        made.u64(block + 256 + 8 * i, fields.statistics[i]);
    for (std::size_t i = 0; i < fields.sync_times.size(); ++i)
        made.u64(block + 352 + 8 * i, fields.sync_times[i]);
    made.u64(block + 544, fields.counters.size());
    for (std::size_t i = 0; i < fields.counters.size(); ++i) {
        made.text(block + 552 + 56 * i, fields.counters[i].name);
        made.u64(block + 592 + 56 * i, fields.counters[i].kind);
        made.u64(block + 600 + 56 * i, fields.counters[i].value);
    }

    for (std::size_t generation = 1; generation <= 2; ++generation) {
        const std::size_t at = (2 + generation % 2) * block;
        made.u64(at, generation);
        made.u64(at + 8, fields.watermarks[generation - 1]);
        made.u64(at + 16, made.hash(at, at + 16) ^ first_word(fields.journal));
    }
    return made;
}

namespace {

image encode_marks(const index_fields& fields) {
    image section{0};
    for (const auto& mark : fields.marks) {
        image entry{24};
        entry.u64(0, mark.sequence);
        entry.u64(8, mark.offset);
        entry.u64(16, mark.max_timestamp_ns);
        section.append(entry);
    }
    return section;
}

image encode_streams(const index_fields& fields) {
    image section{0};
    for (const auto& stream : fields.streams) {
        image entry{24};
        entry.u64(0, stream.number);
        entry.u64(8, stream.version);
        entry.u32(16, stream.last_offset / 8);
        entry.u32(20, stream.segments_back);
        section.append(entry);
    }
    return section;
}

image encode_names(const index_fields& fields) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> names;
    for (const auto& name : fields.names)
        names.emplace_back(XXH3_64bits(name.text.data(), name.text.size()), name.offset);
    std::sort(names.begin(), names.end());
    image section{0};
    for (const auto& [hash, offset] : names) {
        image entry{16};
        entry.u64(0, hash);
        entry.u64(8, offset);
        section.append(entry);
    }
    return section;
}

image encode_types(const index_fields& fields) {
    image section{0};
    for (const auto& type : fields.types) {
        image entry{48};
        entry.u16(0, type.number);
        entry.u16(2, type.schema_version);
        entry.u64(8, type.events);
        entry.u64(16, type.first_sequence);
        entry.u64(24, type.last_sequence);
        entry.u64(32, type.min_timestamp_ns);
        entry.u64(40, type.max_timestamp_ns);
        section.append(entry);
    }
    return section;
}

image encode_commands(const index_fields& fields) {
    image section{0};
    for (const auto& command : fields.commands) {
        image entry{40};
        entry.text(0, command.id);
        entry.u64(16, command.hash);
        entry.u64(24, command.first_sequence);
        entry.u32(32, command.first_offset / 8);
        entry.u32(36, command.events);
        section.append(entry);
    }
    return section;
}

image encode_tags(const index_fields& fields) {
    image section{0};
    std::uint64_t postings = 0;
    for (const auto& tag : fields.tags) {
        image entry{16};
        entry.u64(0, tag.number);
        entry.u32(8, postings);
        entry.u32(12, tag.offsets.size());
        section.append(entry);
        postings += tag.offsets.size();
    }
    return section;
}

image encode_postings(const index_fields& fields) {
    image section{0};
    for (const auto& tag : fields.tags) {
        for (const std::uint64_t offset : tag.offsets) {
            image entry{4};
            entry.u32(0, offset / 8);
            section.append(entry);
        }
    }
    return section;
}

}  // namespace

image encode_index(const index_fields& fields) {
    struct section {
        image entries;
        std::uint64_t kind, entry_bytes, must_be_known;
    };
    std::vector<section> sections{{encode_marks(fields), 1, 24, 0},
                                  {encode_streams(fields), 2, 24, 1},
                                  {encode_names(fields), 3, 16, 1},
                                  {encode_types(fields), 4, 48, 0}};
    if (!fields.tags.empty())
        sections.push_back({encode_tags(fields), 5, 16, 1});
    if (!fields.commands.empty())
        sections.push_back({encode_commands(fields), 6, 40, 1});
    if (!fields.tags.empty())
        sections.push_back({encode_postings(fields), 9, 4, 1});
    image table{0};
    image body{0};
    for (std::size_t i = 0; i < sections.size(); ++i) {
        const std::uint64_t bytes = sections[i].entries.bytes().size();
        image entry{32};
        entry.u16(0, sections[i].kind);
        entry.u16(2, sections[i].must_be_known);
        entry.u32(4, sections[i].entry_bytes);
        entry.u64(8, bytes / sections[i].entry_bytes);
        entry.u64(16, 256 + 32 * sections.size() + body.bytes().size());
        entry.u64(24, bytes);
        table.append(entry);
        body.append(sections[i].entries);
        body.append(image{(8 - bytes % 8) % 8});
    }
    const std::uint64_t end = 256 + table.bytes().size() + body.bytes().size();
    image made = begin(256, "PWLINDX1", 256);
    made.text(40, fields.journal);
    made.u64(56, fields.ordinal);
    made.u64(64, fields.epoch);
    made.u64(72, fields.first_sequence);
    made.u64(80, fields.end_sequence);
    made.u64(88, fields.end_offset);
    made.u64(96, fields.end_hash);
    made.u64(104, fields.successor_epoch);
    made.u16(112, fields.end_type);
    made.u32(116, sections.size());
    made.u64(120, std::uint64_t{1} << fields.end_type | (fields.names.empty() ? 0U : 1U << 4) |
                      (fields.describes ? 1U << 5 : 0U));
    made.u64(128, fields.min_timestamp_ns);
    made.u64(136, fields.max_timestamp_ns);
    made.u64(144, end);
    made.u32(152, fields.commands_back);
    made.u64(248, made.hash(0, 248));
    made.append(table);
    made.append(body);
    image checksums{0};
    for (std::uint64_t at = 0; at < end; at += 4096) {
        image checksum{8};
        checksum.u64(0, made.hash(at, std::min<std::uint64_t>(at + 4096, end)) ^
                            mix(fields.epoch + at * 0x9e3779b97f4a7c15));
        checksums.append(checksum);
    }
    made.append(checksums);
    return made;
}

namespace {

struct slot_fields {
    std::uint64_t key, second, third;
};

// Filled in the order of the hashes. No search may reach the end of the table.
image encode_table(std::vector<slot_fields> entries, std::uint64_t slots) {
    image table{slots * 24};
    std::ranges::sort(entries, {}, [](const slot_fields& entry) { return mix(entry.key); });
    for (const auto& entry : entries) {
        __extension__ using wide = unsigned __int128;
        auto slot = static_cast<std::size_t>(static_cast<wide>(mix(entry.key)) * slots >> 64);
        while (table.u64(slot * 24) != 0)
            ++slot;
        table.u64(slot * 24, entry.key);
        table.u64(slot * 24 + 8, entry.second);
        table.u64(slot * 24 + 16, entry.third);
    }
    return table;
}

std::vector<slot_fields> slots_of(const std::vector<heads_fields::head>& heads) {
    std::vector<slot_fields> entries;
    for (const auto& head : heads)
        entries.push_back({head.stream, head.version, head.ordinal << 32 | head.offset / 8});
    return entries;
}

}  // namespace

image encode_heads(const heads_fields& fields) {
    image names{0};
    std::vector<slot_fields> name_entries;
    for (const auto& name : fields.names) {
        image entry{12 + name.text.size()};
        entry.u64(0, name.stream);
        entry.u32(8, name.text.size());
        entry.text(12, name.text);
        name_entries.push_back(
            {entry.hash(12, 12 + name.text.size()), name.stream, names.bytes().size()});
        names.append(entry);
    }
    const std::uint64_t name_slots = fields.names.empty() ? 0 : 64;

    image made = begin(4096, "PWLHEAD1", 192);
    made.text(16, fields.journal);
    made.u64(32, fields.ordinal);
    made.u64(40, fields.epoch);
    made.u64(48, fields.end_sequence);
    made.u64(56, fields.slots);
    made.u64(64, fields.heads.size());
    made.u64(72, fields.names.size());
    made.u64(80, names.bytes().size());
    made.u64(88, fields.tag_slots);
    made.u64(96, fields.tags.size());
    made.u64(104, name_slots);
    made.u64(112, fields.first_ordinal);
    made.u64(120, fields.epoch_before);
    made.u64(128, fields.heads.size());
    made.append(encode_table(slots_of(fields.heads), fields.slots));
    made.append(encode_table(slots_of(fields.tags), fields.tag_slots));
    made.append(encode_table(name_entries, name_slots));
    made.append(names);
    made.append(image{(8 - made.bytes().size() % 8) % 8});
    made.append(image{(made.bytes().size() + 4095) / 4096 * 8});
    seal_heads(made);
    return made;
}

void seal_heads(image& file) {
    file.u64(184, file.hash(0, 184));
    // So many whole blocks, each with a checksum of 8 bytes, and a part of one.
    const std::uint64_t blocks = (file.bytes().size() + 4103) / 4104;
    const std::uint64_t end = file.bytes().size() - blocks * 8;
    for (std::uint64_t block = 0; block < blocks; ++block) {
        const std::uint64_t at = block * 4096;
        file.u64(end + block * 8, file.hash(at, std::min<std::uint64_t>(at + 4096, end)) ^
                                      mix(file.u64(40) + at * 0x9e3779b97f4a7c15));
    }
}

image encode_retained(const retained_fields& fields) {
    image body{0};
    for (const auto* heads : {&fields.heads, &fields.tags}) {
        for (const auto& head : *heads) {
            image entry{24};
            entry.u64(0, head.stream);
            entry.u64(8, head.version);
            entry.u64(16, head.ordinal << 32 | head.offset / 8);
            body.append(entry);
        }
    }
    for (const auto& command : fields.commands) {
        image entry{40};
        entry.text(0, command.id);
        entry.u64(16, command.hash);
        entry.u64(24, command.first_sequence);
        entry.u64(32, command.events);
        body.append(entry);
    }
    const std::size_t heads_end = body.bytes().size();
    for (const auto& name : fields.names) {
        image entry{12 + name.text.size()};
        entry.u64(0, name.stream);
        entry.u32(8, name.text.size());
        entry.text(12, name.text);
        body.append(entry);
    }
    const std::size_t names_end = body.bytes().size();
    image said{0};
    for (const auto& each : fields.descriptions) {
        const std::size_t bytes = each.said.name.size() + each.said.bytes.size();
        image entry{32 + (bytes + 7) / 8 * 8};
        entry.u64(0, each.sequence);
        entry.u64(8, each.timestamp_ns);
        entry.u64(16, bytes);
        entry.u16(24, each.said.type);
        entry.u16(26, each.said.schema_version);
        entry.u32(28, each.said.name.size());
        entry.text(32, each.said.name);
        entry.text(32 + each.said.name.size(), each.said.bytes);
        said.append(entry);
    }
    body.append(said);
    image made = begin(248, "PWLRETN1", 248);
    made.text(40, fields.journal);
    made.u64(56, fields.first_ordinal);
    made.u64(64, fields.first_sequence);
    made.u64(72, fields.before_epoch);
    made.u64(80, fields.before_offset);
    made.u64(88, fields.before_hash);
    made.u64(96, fields.before_successor_epoch);
    made.u64(104, fields.before_type);
    made.u64(112, fields.content_hash);
    made.u64(120, fields.frame_hash);
    made.u64(128, fields.digest);
    made.u64(136, fields.names_digest);
    made.u64(144, fields.must_know);
    made.u64(152, fields.pruned_events);
    made.u64(160, fields.pruned_bytes);
    made.u64(168, fields.pruned_ns);
    made.u64(176, fields.heads.size());
    made.u64(184, fields.names.size());
    made.u64(192, names_end - heads_end);
    made.u64(200, fields.descriptions.size());
    made.u64(208, said.bytes().size());
    made.u64(216, fields.tags.size());
    made.u64(224, fields.commands.size());
    made.u64(232, body.hash(0, body.bytes().size()));
    made.u64(240, made.hash(0, 240));
    made.append(body);
    return made;
}

image encode_consumer(const consumer_fields& fields) {
    image made{4096};
    made.text(0, "PWLCONS1");
    made.u32(8, 1);
    made.u32(12, 4096);
    made.text(40, fields.journal);
    made.text(56, fields.journal);
    made.u64(72, fields.generation);
    made.u64(80, fields.next_sequence);
    made.u64(88, fields.content_hash);
    made.u64(96, fields.frame_hash);
    made.u64(104, fields.event_ns);
    made.u64(112, fields.committed_ns);
    made.u64(120, fields.state);
    made.u64(128, 4711);
    made.text(136, "golden.example");
    made.text(200, "make_golden");
    made.text(264, "01234567-89ab-cdef-0123-456789abcdef");
    made.text(304, fields.name);
    made.text(416, fields.selection);
    made.u64(400, made.hash(416, 416 + fields.selection.size()));
    made.u32(408, fields.selection.size());
    made.u64(4088, made.hash(0, 4088));
    return made;
}

}  // namespace golden
