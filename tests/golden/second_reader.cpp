#include "second_reader.hpp"

#include "golden_journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

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
        for (std::uint64_t ordinal = 0;
             std::filesystem::exists(directory_ / fmt::format("{:010}.seg", ordinal)); ++ordinal)
            read_segment_file(ordinal);
        return std::move(found_);
    }

  private:
    void expect(bool holds, std::string what) {
        if (!holds)
            found_.faults.push_back(std::move(what));
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
        const read_segment& before = found_.segments.back();
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

    // Returns the offset behind the end frame.
    std::uint64_t read_frames(std::string_view bytes, const std::string& name, read_segment& into) {
        std::uint64_t at = 8192;
        ended_ = false;
        while (bytes.size() - at >= 56 && load(bytes, at, 8) != 0) {
            const std::uint64_t size = load(bytes, at, 3);
            if (size < 56 || size > bytes.size() - at) {
                expect(false, fmt::format("{}: length at {}", name, at));
                return at;
            }
            const read_frame frame = decode(bytes, at, size);
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

    static read_frame decode(std::string_view bytes, std::uint64_t at, std::uint64_t size) {
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
                           .payload = std::string{bytes.substr(at + 56, size - 56)}},
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
                made.names.push_back({fields.payload, frame.offset});
                continue;
            }
            made.min_timestamp_ns =
                any ? std::min(made.min_timestamp_ns, fields.timestamp_ns) : fields.timestamp_ns;
            made.max_timestamp_ns = std::max(made.max_timestamp_ns, fields.timestamp_ns);
            any = true;
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
        return encode_index(made);
    }

    std::filesystem::path directory_;
    std::string journal_;
    read_journal found_;
    std::uint64_t sequence_ = 0;
    bool in_batch_ = false;
    bool ended_ = false;  // the segment read last
    std::map<std::uint64_t, std::uint64_t> versions_;
    std::map<std::string, std::uint64_t> names_;
    std::map<std::uint64_t, std::uint64_t> last_segment_;  // that holds a stream
};

}  // namespace

read_journal read_closed_journal(const std::filesystem::path& directory) {
    return reader{directory}.read();
}

}  // namespace golden
