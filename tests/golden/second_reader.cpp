#include "second_reader.hpp"

#include "golden_journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace golden {

namespace {

std::uint64_t load(std::string_view bytes, std::size_t at, std::size_t width) {
    std::uint64_t value = 0;
    for (std::size_t i = width; i-- > 0;)
        value = value << 8 | static_cast<unsigned char>(bytes.at(at + i));
    return value;
}

bool zero(std::string_view bytes) {
    return bytes.find_first_not_of('\0') == std::string_view::npos;
}

class reader {
  public:
    explicit reader(std::filesystem::path directory) : directory_{std::move(directory)} {}

    read_journal read() {
        const std::string identity = read_whole(directory_ / "journal.pawl");
        journal_ = identity.substr(40, 16);
        expect(identity == encode_identity({.journal = journal_,
                                            .created_ns = load(identity, 56, 8),
                                            .segment_bytes = load(identity, 64, 8),
                                            .origin = std::string_view{identity}.substr(72, 16)})
                               .bytes(),
               "journal.pawl");
        for (std::uint64_t ordinal = begin();
             std::filesystem::exists(directory_ / fmt::format("{:010}.seg", ordinal)); ++ordinal)
            read_segment_file(ordinal);
        return std::move(found_);
    }

  private:
    void expect(bool holds, std::string what) {
        if (!holds)
            found_.faults.push_back(std::move(what));
    }

    // §15. Where the log begins; what stands for the segments before is known from there on.
    std::uint64_t begin() {
        if (!std::filesystem::exists(directory_ / "retained"))
            return 0;
        const std::string bytes = read_whole(directory_ / "retained");
        expect(bytes == read_whole(directory_ / "retained.copy"), "retained: the copies differ");
        expect(bytes.substr(0, 8) == "PWLRETN1" && bytes.substr(40, 16) == journal_ &&
                   load(bytes, 240, 8) == part(bytes, 0, 240) &&
                   load(bytes, 232, 8) == part(bytes, 248, bytes.size()),
               "retained");
        std::size_t at = 248;
        for (std::uint64_t left = load(bytes, 176, 8); left != 0; --left, at += 24) {
            versions_[load(bytes, at, 8)] = load(bytes, at + 8, 8);
            last_segment_[load(bytes, at, 8)] = load(bytes, at + 16, 8) >> 32;
        }
        at += 24 * load(bytes, 216, 8) + 40 * load(bytes, 224, 8);
        for (std::uint64_t left = load(bytes, 184, 8); left != 0; --left) {
            const std::uint64_t length = load(bytes, at + 8, 4);
            names_[bytes.substr(at + 12, length)] = load(bytes, at, 8);
            at += 12 + length;
        }
        sequence_ = load(bytes, 64, 8);
        ended_ = true;
        before_.header.epoch = load(bytes, 72, 8);
        read_frame end{.offset = load(bytes, 80, 8), .hash = load(bytes, 88, 8)};
        end.fields.sequence = sequence_;
        end.fields.type = static_cast<std::uint16_t>(load(bytes, 104, 8));
        end.fields.payload = encode_end({.successor_epoch = load(bytes, 96, 8)});
        before_.frames.push_back(end);
        return load(bytes, 56, 8);
    }

    static std::uint64_t part(const std::string& bytes, std::size_t from, std::size_t to) {
        image whole{bytes.size()};
        whole.text(0, bytes);
        return whole.hash(from, to);
    }

    void read_segment_file(std::uint64_t ordinal) {
        const std::string name = fmt::format("{:010}", ordinal);
        const std::string bytes = read_whole(directory_ / (name + ".seg"));
        read_segment made{.header = read_header(bytes, ordinal, name)};
        const std::uint64_t next = read_frames(bytes, name, made);
        if (ended_) {
            const read_frame& end = made.frames.back();
            check_end(end, made, name);
            expect(end.fields.type == 3 || zero(std::string_view{bytes}.substr(next)),
                   name + ": bytes behind the end");
            expect(read_whole(directory_ / (name + ".idx")) == make_index(made).bytes(),
                   name + ".idx");
        }
        made.header.journal = {};  // views this reader's own text
        found_.segments.push_back(std::move(made));
    }

    header_fields read_header(std::string_view bytes, std::uint64_t ordinal,
                              const std::string& name) {
        const header_fields header{.journal = journal_,
                                   .ordinal = ordinal,
                                   .epoch = load(bytes, 64, 8),
                                   .segment_bytes = bytes.size(),
                                   .created_ns = load(bytes, 80, 8),
                                   .predecessor_epoch = load(bytes, 88, 8),
                                   .predecessor_end_offset = load(bytes, 96, 8),
                                   .predecessor_end_hash = load(bytes, 104, 8),
                                   .start_sequence = load(bytes, 112, 8)};
        const std::string copy = encode_header(header).bytes();
        expect(header.epoch != 0, name + ": epoch 0");
        expect(bytes.substr(0, 256) == copy, name + ": header");
        expect(bytes.substr(4096, 256) == copy, name + ": second header");
        expect(zero(bytes.substr(256, 4096 - 256)) && zero(bytes.substr(4352, 8192 - 4352)),
               name + ": between the headers");
        expect(ordinal == 0 ? header.predecessor_epoch == 0 : ended_ && continues(header),
               name + ": does not continue its predecessor");
        return header;
    }

    // §3, how segments follow each other.
    bool continues(const header_fields& header) const {
        const read_segment& before = found_.segments.empty() ? before_ : found_.segments.back();
        const read_frame& end = before.frames.back();
        const bool named = header.predecessor_epoch == before.header.epoch &&
                           header.predecessor_end_offset == end.offset &&
                           header.start_sequence == end.fields.sequence;
        const std::uint64_t successor = load(end.fields.payload, 0, 8);
        switch (end.fields.type) {
            case 1:
                return successor == header.epoch &&
                       header.predecessor_epoch + header.predecessor_end_offset +
                               header.predecessor_end_hash + header.start_sequence ==
                           0;
            case 2:
                return named && header.predecessor_end_hash == end.hash;
            case 3:
                return named && header.predecessor_end_hash == 0;
            default:
                return false;
        }
    }

    // Returns the offset after the end frame.
    std::uint64_t read_frames(std::string_view bytes, const std::string& name, read_segment& into) {
        std::uint64_t at = 8192;
        ended_ = false;
        while (bytes.size() - at >= 56 && load(bytes, at, 8) != 0) {
            const std::uint64_t size = load(bytes, at, 3);
            if (size < 56 || size > bytes.size() - at) {
                expect(false, fmt::format("{}: length at {}", name, at));
                return at;
            }
            const read_frame frame = decode(bytes, at, size, fmt::format("{}: at {}", name, at));
            const std::string again = encode_frame(frame.fields, into.header.epoch, at).bytes();
            expect(bytes.substr(at, again.size()) == again,
                   fmt::format("{}: frame at {}", name, at));
            check_order(frame, into, fmt::format("{}: order at {}", name, at));
            into.frames.push_back(frame);
            at += again.size();
            if ((frame.fields.flags & 1) != 0 && frame.fields.type <= 3) {
                ended_ = frame.fields.payload.size() == 40;
                expect(ended_, name + ": size of the end");
                return at;
            }
            sequence_ += (frame.fields.flags & 1) == 0 ? 1 : 0;
        }
        expect(false, name + ": no end");
        return at;
    }

    // Bytes of the metadata in front of a payload, and what is wrong with it.
    std::size_t metadata_bytes(std::string_view body, const std::string& place) {
        std::vector<metadata_fields> entries;
        std::uint64_t before = 0;
        std::size_t at = 0;
        for (bool last = false; !last;) {
            if (body.size() - at < 8 || load(body, at + 4, 4) > body.size() - at - 8) {
                expect(false, place + ": metadata");
                return at;
            }
            const std::uint64_t tag = load(body, at, 2);
            const std::uint64_t flags = load(body, at + 2, 2);
            const std::string_view value = body.substr(at + 8, load(body, at + 4, 4));
            expect(flags < 4, place + ": flags of metadata");
            expect(tag >= 0x8000 || tag > before, place + ": order of metadata");
            expect(tag >= 0x8000 || value_possible(tag, value), place + ": value of metadata");
            expect((flags & 1) == 0 || (tag >= 1 && tag <= 8), place + ": critical metadata");
            before = tag < 0x8000 ? tag : before;
            entries.push_back(
                {static_cast<std::uint16_t>(tag), std::string{value}, (flags & 1) != 0});
            last = (flags & 2) != 0;
            at += 8 + (value.size() + 7) / 8 * 8;
        }
        expect(encode_metadata(entries) == body.substr(0, at), place + ": padding of metadata");
        return at;
    }

    static bool value_possible(std::uint64_t tag, std::string_view value) {
        std::uint64_t before = 0;
        bool ascends = true;
        for (std::size_t at = 0; at + 8 <= value.size(); at += 8) {
            ascends = ascends && load(value, at, 8) > before;
            before = load(value, at, 8);
        }
        switch (tag) {
            case 1:
                return value.size() == 24;
            case 2:
            case 3:
                return value.size() == 16;
            case 4:
                return value.size() >= 25;
            case 6:
                return value.size() == 8;
            case 7:
                return value.size() % 8 == 0 && !value.empty() && value.size() <= 128 && ascends;
            case 8:
                return value.size() % 8 == 0 && !value.empty();
            default:
                return true;
        }
    }

    read_frame decode(std::string_view bytes, std::uint64_t at, std::uint64_t size,
                      const std::string& place) {
        const std::string_view body = bytes.substr(at + 56, size - 56);
        const bool described = (load(bytes, at + 3, 1) & 0x10) != 0;
        const std::size_t front = described ? metadata_bytes(body, place) : 0;
        return {.offset = at,
                .fields = {.flags = static_cast<std::uint8_t>(load(bytes, at + 3, 1)),
                           .type = static_cast<std::uint16_t>(load(bytes, at + 4, 2)),
                           .schema_version = static_cast<std::uint16_t>(load(bytes, at + 6, 2)),
                           .sequence = load(bytes, at + 24, 8),
                           .timestamp_ns = load(bytes, at + 32, 8),
                           .stream = load(bytes, at + 40, 8),
                           .version = load(bytes, at + 48, 8),
                           .back = static_cast<std::uint32_t>(load(bytes, at + 16, 4)),
                           .witness = static_cast<std::uint32_t>(load(bytes, at + 20, 4)),
                           .payload = std::string{body.substr(front)},
                           .metadata = std::string{body.substr(0, front)}},
                .hash = load(bytes, at + 8, 8)};
    }

    // Sequence, watermark, batch, stream version and link.
    void check_order(const read_frame& frame, const read_segment& segment,
                     const std::string& place) {
        const frame_fields& fields = frame.fields;
        expect(fields.sequence == sequence_, place + ": sequence");
        expect(fields.witness <= fields.sequence, place + ": witness");
        const std::uint8_t part = fields.flags & 0x0e;
        expect(in_batch_ ? part == 4 || part == 8 : part == 0 || part == 2, place + ": batch");
        in_batch_ = part == 2 || part == 4;
        if ((fields.flags & 1) != 0) {
            expect(fields.flags == 1 && fields.version == 0 && fields.back == 0 &&
                       fields.schema_version == 0,
                   place + ": system frame");
            if (fields.type == 4)
                expect(names_.emplace(fields.payload, fields.stream).second &&
                           fields.stream == (std::uint64_t{1} << 63) + names_.size() - 1,
                       place + ": name");
            if (fields.type == 0x8001)
                expect(
                    fields.stream == 0 && fields.payload == encode_clock(clock_in(fields.payload)),
                    place + ": clock report");
            if (fields.type == 5)
                check_description(fields, place);
            return;
        }
        if (fields.stream == 0) {
            expect(fields.version == 0 && fields.back == 0, place + ": firehose");
            return;
        }
        expect(fields.version == ++versions_[fields.stream], place + ": version");
        const auto before = std::find_if(
            segment.frames.rbegin(), segment.frames.rend(), [&](const read_frame& other) {
                return (other.fields.flags & 1) == 0 && other.fields.stream == fields.stream;
            });
        const std::uint64_t back =
            before == segment.frames.rend() ? 0 : (frame.offset - before->offset) / 8;
        expect(fields.back == back, place + ": back");
    }

    static clock_fields clock_in(std::string_view payload) {
        if (payload.size() != 48)
            return {};
        return {.source = static_cast<std::uint8_t>(load(payload, 0, 1)),
                .synchronised = static_cast<std::uint8_t>(load(payload, 1, 1)),
                .estimated_error_ns = load(payload, 8, 8),
                .maximum_error_ns = load(payload, 16, 8),
                .tsc_hz = load(payload, 24, 8),
                .drift_ns = static_cast<std::int64_t>(load(payload, 32, 8)),
                .steps = load(payload, 40, 8)};
    }

    void check_description(const frame_fields& frame, const std::string& place) {
        const std::string_view payload = frame.payload;
        const bool whole = payload.size() >= 16 && load(payload, 4, 4) >= 1 &&
                           load(payload, 4, 4) <= 1024 &&
                           (load(payload, 4, 4) + 7) / 8 * 8 <= payload.size() - 8;
        expect(whole && frame.stream == 0, place + ": description");
        if (!whole)
            return;
        const std::size_t name_bytes = load(payload, 4, 4);
        const description_fields fields{
            .type = static_cast<std::uint16_t>(load(payload, 0, 2)),
            .schema_version = static_cast<std::uint16_t>(load(payload, 2, 2)),
            .name = payload.substr(8, name_bytes),
            .bytes = payload.substr(8 + (name_bytes + 7) / 8 * 8)};
        expect(encode_description(fields) == payload, place + ": padding of a description");
    }

    void check_end(const read_frame& end, const read_segment& segment, const std::string& name) {
        std::uint64_t events = 0;
        for (const read_frame& frame : segment.frames)
            events += (frame.fields.flags & 1) == 0 ? 1 : 0;
        const end_fields fields{.successor_epoch = load(end.fields.payload, 0, 8),
                                .first_sequence = segment.frames.front().fields.sequence,
                                .events = events,
                                .lost_about = load(end.fields.payload, 24, 8),
                                .torn_bytes = load(end.fields.payload, 32, 8)};
        expect(end.fields.payload == encode_end(fields), name + ": end payload");
        if (end.fields.type != 1)
            expect(fields.successor_epoch == 0, name + ": names a successor");
        if (end.fields.type != 3)
            expect(fields.lost_about == 0 && fields.torn_bytes == 0, name + ": lost without a cut");
    }

    // §11, made from the frames.
    image make_index(const read_segment& segment) {
        const read_frame& end = segment.frames.back();
        index_fields made{.journal = journal_,
                          .ordinal = segment.header.ordinal,
                          .epoch = segment.header.epoch,
                          .first_sequence = segment.frames.front().fields.sequence,
                          .end_sequence = end.fields.sequence,
                          .end_offset = end.offset,
                          .end_hash = end.hash,
                          .successor_epoch = load(end.fields.payload, 0, 8),
                          .end_type = end.fields.type};
        std::map<std::uint64_t, index_fields::stream> streams;
        std::map<std::uint64_t, std::vector<std::uint64_t>> tags;
        std::map<std::pair<std::uint16_t, std::uint16_t>, index_fields::type> types;
        bool any = false;
        for (const read_frame& frame : segment.frames) {
            const frame_fields& fields = frame.fields;
            if (&frame == &end)
                break;
            if ((made.marks.empty() || frame.offset - made.marks.back().offset >= 32768) &&
                (fields.flags & 0x0c) == 0)
                made.marks.push_back({fields.sequence, frame.offset, made.max_timestamp_ns});
            if ((fields.flags & 1) != 0) {
                if (fields.type == 4)
                    made.names.push_back({fields.payload, frame.offset});
                made.describes = made.describes || fields.type == 5;
                continue;
            }
            made.min_timestamp_ns =
                any ? std::min(made.min_timestamp_ns, fields.timestamp_ns) : fields.timestamp_ns;
            made.max_timestamp_ns = std::max(made.max_timestamp_ns, fields.timestamp_ns);
            any = true;
            note_command(made, frame, (fields.flags & 0x0c) != 0);
            note_tags(tags, frame);
            if (fields.stream != 0)
                streams[fields.stream] = {fields.stream, fields.version, frame.offset};
            auto& type =
                types
                    .try_emplace({fields.type, fields.schema_version},
                                 index_fields::type{fields.type, fields.schema_version, 0,
                                                    fields.sequence, fields.sequence,
                                                    fields.timestamp_ns, fields.timestamp_ns})
                    .first->second;
            ++type.events;
            type.last_sequence = fields.sequence;
            type.min_timestamp_ns = std::min(type.min_timestamp_ns, fields.timestamp_ns);
            type.max_timestamp_ns = std::max(type.max_timestamp_ns, fields.timestamp_ns);
        }
        for (auto& [number, stream] : streams) {
            const auto before = last_segment_.find(number);
            if (before != last_segment_.end())
                stream.segments_back = made.ordinal - before->second;
            last_segment_[number] = made.ordinal;
            made.streams.push_back(stream);
        }
        for (const auto& [key, type] : types)
            made.types.push_back(type);
        for (const auto& [tag, offsets] : tags)
            made.tags.push_back({tag, offsets});
        if (last_commands_)
            made.commands_back = made.ordinal - *last_commands_;
        if (!made.commands.empty())
            last_commands_ = made.ordinal;
        return encode_index(made);
    }

    static void note_tags(std::map<std::uint64_t, std::vector<std::uint64_t>>& tags,
                          const read_frame& frame) {
        const std::string& entries = frame.fields.metadata;
        for (std::size_t at = 0; at + 8 <= entries.size();) {
            const std::uint64_t bytes = load(entries, at + 4, 4);
            if (load(entries, at, 2) == 7) {
                for (std::size_t each = 0; each < bytes; each += 8)
                    tags[load(entries, at + 8 + each, 8)].push_back(frame.offset);
            }
            at += 8 + (bytes + 7) / 8 * 8;
        }
    }

    // A command is the run of events with one id in one batch.
    void note_command(index_fields& index, const read_frame& frame, bool behind_another) {
        const std::string& entries = frame.fields.metadata;
        std::optional<std::string> command;
        for (std::size_t at = 0; at + 8 <= entries.size();) {
            const std::uint64_t bytes = load(entries, at + 4, 4);
            if (load(entries, at, 2) == 1)
                command = entries.substr(at + 8, bytes);
            at += 8 + (bytes + 7) / 8 * 8;
        }
        const bool same = behind_another && command && last_command_ == command;
        last_command_ = command;
        if (same)
            ++index.commands.back().events;
        else if (command)
            index.commands.push_back({command->substr(0, 16), load(*command, 16, 8),
                                      frame.fields.sequence, frame.offset, 1});
    }

    std::filesystem::path directory_;
    std::string journal_;
    read_journal found_;
    read_segment before_;  // its end alone, if the log was pruned
    std::uint64_t sequence_ = 0;
    bool in_batch_ = false;
    bool ended_ = false;  // the segment read last
    std::map<std::uint64_t, std::uint64_t> versions_;
    std::map<std::string, std::uint64_t> names_;
    std::map<std::uint64_t, std::uint64_t> last_segment_;  // that holds a stream
    std::optional<std::uint64_t> last_commands_;           // the last segment that holds a command
    std::optional<std::string> last_command_;              // of the event before
};

}  // namespace

read_journal read_closed_journal(const std::filesystem::path& directory) {
    return reader{directory}.read();
}

}  // namespace golden
