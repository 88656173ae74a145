#include "scenes.hpp"

#include <fmt/format.h>

namespace golden {

namespace {

// Builds a scene segment by segment.
class builder {
  public:
    builder(std::string name, std::string_view journal, std::string_view origin = {}) {
        made_.name = std::move(name);
        made_.journal = journal;
        put("journal.pawl", encode_identity({.journal = journal,
                                             .created_ns = created_ns,
                                             .segment_bytes = segment_bytes,
                                             .origin = origin}));
    }

    void put(std::string_view file, const image& bytes) {
        made_.files.push_back({fmt::format("{}/{}", made_.name, file), bytes.bytes()});
    }
    void put_segment(const segment_image& segment) {
        put(fmt::format("{:010}.seg", made_.epochs.size() - 1), segment.whole());
    }
    void put_index(std::uint64_t ordinal, index_fields fields) {
        fields.journal = made_.journal;
        fields.ordinal = ordinal;
        fields.epoch = made_.epochs.at(ordinal);
        put(fmt::format("{:010}.idx", ordinal), encode_index(fields));
    }
    void put_heads(heads_fields fields) {
        fields.journal = made_.journal;
        fields.ordinal = made_.epochs.size() - 1;
        fields.epoch = made_.epochs.back();
        put("streams", encode_heads(fields));
    }
    void put_control(control_fields fields) {
        fields.journal = made_.journal;
        fields.heartbeat_ns = created_ns + 9;
        fields.process = 4711;
        fields.host = "golden.example";
        fields.program = "make_golden";
        fields.boot = "01234567-89ab-cdef-0123-456789abcdef";
        put("control", encode_control(fields));
    }

    segment_image start(std::uint64_t epoch, header_fields fields = {}) {
        fields.journal = made_.journal;
        fields.ordinal = made_.epochs.size();
        fields.epoch = epoch;
        fields.segment_bytes = segment_bytes;
        fields.created_ns = created_ns + made_.epochs.size();
        made_.epochs.push_back(epoch);
        return segment_image{fields};
    }

    std::uint64_t add(segment_image& segment, const frame_fields& fields) {
        const std::uint64_t at = segment.add(fields);
        if ((fields.flags & system_flag) == 0)
            made_.events.push_back({made_.epochs.size() - 1, at, fields});
        return at;
    }

    [[nodiscard]] scene take() { return std::move(made_); }

  private:
    scene made_;
};

constexpr std::string_view stream_text = "orders/Zürich";

std::string large_payload() {
    std::string text;
    while (text.size() < 32768)
        text += "0123456789abcdef";
    return text;
}

frame_fields end_frame(std::uint16_t type, std::uint64_t sequence, std::uint64_t time,
                       std::uint32_t witness, const end_fields& fields) {
    return {.flags = system_flag,
            .type = type,
            .sequence = sequence,
            .timestamp_ns = time,
            .witness = witness,
            .payload = encode_end(fields)};
}

header_fields behind(std::uint64_t epoch, std::uint64_t end, std::uint64_t hash,
                     std::uint64_t sequence) {
    header_fields fields{};
    fields.predecessor_epoch = epoch;
    fields.predecessor_end_offset = end;
    fields.predecessor_end_hash = hash;
    fields.start_sequence = sequence;
    return fields;
}

}  // namespace

scene make_rolled() {
    constexpr std::uint64_t first_epoch = 0x0123456789abcdef;
    constexpr std::uint64_t second_epoch = 0xfedcba9876543210;
    constexpr std::uint64_t time = created_ns;
    builder journal{"rolled", "pawl golden file"};

    segment_image first = journal.start(first_epoch);
    const auto hello = journal.add(first, {.type = 7,
                                           .schema_version = 2,
                                           .sequence = 0,
                                           .timestamp_ns = time,
                                           .stream = 42,
                                           .version = 1,
                                           .payload = "hello, pawl"});
    journal.add(first, {.type = 65535,
                        .schema_version = 65535,
                        .sequence = 1,
                        .timestamp_ns = time + 2000,
                        .witness = 1,
                        .payload = large_payload()});
    const auto name = journal.add(first, {.flags = system_flag,
                                          .type = stream_name,
                                          .sequence = 2,
                                          .timestamp_ns = time + 2500,
                                          .stream = first_named,
                                          .payload = std::string{stream_text}});
    // The clock steps back in the batch.
    const auto named = journal.add(first, {.flags = batch_first,
                                           .type = 8,
                                           .schema_version = 1,
                                           .sequence = 2,
                                           .timestamp_ns = time + 1000,
                                           .stream = first_named,
                                           .version = 1,
                                           .payload = "one word"});
    const std::uint64_t middle = first.next_offset();
    journal.add(first, {.flags = batch_middle,
                        .type = 7,
                        .schema_version = 2,
                        .sequence = 3,
                        .timestamp_ns = time + 1000,
                        .stream = 42,
                        .version = 2,
                        .back = static_cast<std::uint32_t>((middle - hello) / 8),
                        .witness = 1});
    const std::uint64_t last = first.next_offset();
    journal.add(first, {.flags = batch_last,
                        .type = 7,
                        .schema_version = 3,
                        .sequence = 4,
                        .timestamp_ns = time + 1000,
                        .stream = 42,
                        .version = 3,
                        .back = static_cast<std::uint32_t>((last - middle) / 8),
                        .witness = 2,
                        .payload = "!"});
    const auto end = journal.add(
        first, end_frame(rolled, 5, time + 3000, 3,
                         {.successor_epoch = second_epoch, .first_sequence = 0, .events = 5}));
    journal.put_segment(first);
    journal.put_index(0, {.first_sequence = 0,
                          .end_sequence = 5,
                          .end_offset = end,
                          .end_hash = first.hash_at(end),
                          .successor_epoch = second_epoch,
                          .end_type = rolled,
                          .min_timestamp_ns = time,
                          .max_timestamp_ns = time + 2000,
                          .marks = {{0, hello, 0}, {2, name, time + 2000}},
                          .streams = {{42, 3, last}, {first_named, 1, named}},
                          .names = {{stream_text, name}},
                          .types = {{7, 2, 2, 0, 3, time, time + 1000},
                                    {7, 3, 1, 4, 4, time + 1000, time + 1000},
                                    {8, 1, 1, 2, 2, time + 1000, time + 1000},
                                    {65535, 65535, 1, 1, 1, time + 2000, time + 2000}}});

    segment_image second = journal.start(second_epoch);
    const auto fifth = journal.add(second, {.type = 8,
                                            .schema_version = 1,
                                            .sequence = 5,
                                            .timestamp_ns = time + 4000,
                                            .stream = first_named,
                                            .version = 2,
                                            .payload = "behind the rollover"});
    const auto second_end =
        journal.add(second, end_frame(closed, 6, time + 5000, 0,
                                      {.successor_epoch = 0, .first_sequence = 5, .events = 1}));
    journal.put_segment(second);
    journal.put_index(1, {.first_sequence = 5,
                          .end_sequence = 6,
                          .end_offset = second_end,
                          .end_hash = second.hash_at(second_end),
                          .end_type = closed,
                          .min_timestamp_ns = time + 4000,
                          .max_timestamp_ns = time + 4000,
                          .marks = {{5, fifth, 0}},
                          .streams = {{first_named, 2, fifth, 1}},
                          .types = {{8, 1, 1, 5, 5, time + 4000, time + 4000}}});
    journal.put_heads({.end_sequence = 6,
                       .slots = 64,
                       .heads = {{42, 3, 0, last}, {first_named, 2, 1, fifth}},
                       .names = {{first_named, stream_text}}});
    journal.put_control({.durable = 6,
                         .published = 6,
                         .state = 0,
                         .wake = 12,
                         .os_error = 0,
                         .watermarks = {5, 6}});
    return journal.take();
}

scene make_cut() {
    constexpr std::uint64_t first_epoch = 0x1111111111111111;
    constexpr std::uint64_t second_epoch = 0x2222222222222222;
    constexpr std::uint64_t third_epoch = 0x3333333333333333;
    constexpr std::uint64_t time = created_ns;
    builder journal{"cut", "pawl golden cut.", "a golden journal"};

    segment_image first = journal.start(first_epoch);
    const auto zero = journal.add(
        first,
        {.type = 1, .timestamp_ns = time, .stream = 1, .version = 1, .payload = "acknowledged"});
    const std::uint64_t one = first.next_offset();
    journal.add(first, {.type = 1,
                        .sequence = 1,
                        .timestamp_ns = time + 1,
                        .stream = 1,
                        .version = 2,
                        .back = static_cast<std::uint32_t>((one - zero) / 8),
                        .payload = "acknowledged too"});
    // Of the frame that was torn only some words reached the disk; the cut stands on the first 96
    // of its bytes, and torn/ keeps those.
    image torn{240};
    torn.u64(24, 2);
    torn.text(56, "a payload that is here while its commit word is not");
    torn.text(200, "the rest of it");
    constexpr std::size_t torn_bytes = 200 + 14;
    const std::uint64_t cut_at = first.next_offset();
    first.scribble(torn.bytes());
    journal.add(first, end_frame(cut, 2, time + 2, 0,
                                 {.successor_epoch = 0,
                                  .first_sequence = 0,
                                  .events = 2,
                                  .lost_about = 1,
                                  .torn_bytes = torn_bytes}));
    journal.put_segment(first);
    journal.put_index(0, {.first_sequence = 0,
                          .end_sequence = 2,
                          .end_offset = cut_at,
                          .end_hash = first.hash_at(cut_at),
                          .end_type = cut,
                          .min_timestamp_ns = time,
                          .max_timestamp_ns = time + 1,
                          .marks = {{0, zero, 0}},
                          .streams = {{1, 2, one}},
                          .types = {{1, 0, 2, 0, 1, time, time + 1}}});
    image kept{96};
    kept.text(0, std::string_view{torn.bytes()}.substr(0, 96));
    journal.put(fmt::format("torn/0000000000-{:016x}-{}.bytes", first_epoch, cut_at), kept);

    segment_image second = journal.start(second_epoch, behind(first_epoch, cut_at, 0, 2));
    const auto two = journal.add(second, {.type = 2,
                                          .sequence = 2,
                                          .timestamp_ns = time + 3,
                                          .stream = 1,
                                          .version = 3,
                                          .payload = "behind the cut"});
    const auto second_end =
        journal.add(second, end_frame(closed, 3, time + 4, 0,
                                      {.successor_epoch = 0, .first_sequence = 2, .events = 1}));
    const std::uint64_t second_hash = second.hash_at(second_end);
    journal.put_segment(second);
    journal.put_index(1, {.first_sequence = 2,
                          .end_sequence = 3,
                          .end_offset = second_end,
                          .end_hash = second_hash,
                          .end_type = closed,
                          .min_timestamp_ns = time + 3,
                          .max_timestamp_ns = time + 3,
                          .marks = {{2, two, 0}},
                          .streams = {{1, 3, two, 1}},
                          .types = {{2, 0, 1, 2, 2, time + 3, time + 3}}});

    segment_image third =
        journal.start(third_epoch, behind(second_epoch, second_end, second_hash, 3));
    const auto third_end =
        journal.add(third, end_frame(closed, 3, time + 5, 0,
                                     {.successor_epoch = 0, .first_sequence = 3, .events = 0}));
    journal.put_segment(third);
    journal.put_index(2, {.first_sequence = 3,
                          .end_sequence = 3,
                          .end_offset = third_end,
                          .end_hash = third.hash_at(third_end),
                          .end_type = closed});
    journal.put_heads({.end_sequence = 3, .slots = 64, .heads = {{1, 3, 1, two}}});
    journal.put_control(
        {.durable = 3, .published = 3, .state = 0, .wake = 1, .os_error = 0, .watermarks = {2, 3}});
    return journal.take();
}

scene make_torn() {
    constexpr std::uint64_t first_epoch = 0x4444444444444444;
    constexpr std::uint64_t second_epoch = 0x5555555555555555;
    constexpr std::uint64_t time = created_ns;
    builder journal{"torn", "pawl golden torn"};

    segment_image first = journal.start(first_epoch);
    const auto zero = journal.add(
        first, {.type = 1, .timestamp_ns = time, .stream = 9, .version = 1, .payload = "durable"});
    const std::uint64_t one = first.next_offset();
    journal.add(first, {.type = 1,
                        .sequence = 1,
                        .timestamp_ns = time + 1,
                        .stream = 9,
                        .version = 2,
                        .back = static_cast<std::uint32_t>((one - zero) / 8),
                        .payload = "whole"});
    image torn{64};
    torn.u64(0, 72 | std::uint64_t{1} << 32);
    torn.u64(24, 2);
    first.scribble(torn.bytes());
    journal.put_segment(first);
    journal.put_segment(journal.start(second_epoch));
    journal.put_control(
        {.durable = 1,
         .published = 3,
         .state = 1,
         .wake = 3,
         .os_error = 5,
         .watermarks = {0, 1},
         .statistics = {created_ns, 0, 216, 1, 2, 3, 28, 65536, 1, 4, 700'000, 400'000},
         .sync_times = {0, 0, 0, 0, 0, 0, 0, 1, 2, 1},
         .counters = {{"orders_accepted", 1, 41}, {"queue", 0, 7}}});
    return journal.take();
}

scene make_described() {
    constexpr std::uint64_t epoch = 0x7777777777777777;
    constexpr std::uint64_t time = created_ns;
    builder journal{"described", "pawl golden said"};

    segment_image only = journal.start(epoch);
    const auto report = journal.add(only, {.flags = system_flag,
                                           .type = clock_report,
                                           .timestamp_ns = time,
                                           .payload = encode_clock({.source = 0,
                                                                    .synchronised = 1,
                                                                    .estimated_error_ns = 1000,
                                                                    .maximum_error_ns = 250'000,
                                                                    .tsc_hz = 2'100'000'000,
                                                                    .drift_ns = -42,
                                                                    .steps = 3})});
    journal.add(only, {.flags = system_flag,
                       .type = description,
                       .timestamp_ns = time + 1,
                       .payload = encode_description({7, 2, "order placed", "schema 72"})});
    journal.add(only,
                {.type = 7, .schema_version = 2, .timestamp_ns = time + 2, .payload = "buy 1"});
    journal.add(only, {.flags = system_flag,
                       .type = description,
                       .sequence = 1,
                       .timestamp_ns = time + 3,
                       .witness = 1,
                       .payload = encode_description({7, 2, "placed", {}})});
    const std::string word{"\x08\x07\x06\x05\x04\x03\x02\x01", 8};
    const std::string greater{"\x08\x07\x06\x05\x04\x03\x02\x02", 8};
    const std::uint64_t sell = only.next_offset();
    journal.add(only, {.flags = with_metadata,
                       .type = 7,
                       .schema_version = 2,
                       .sequence = 1,
                       .timestamp_ns = time + 4,
                       .witness = 1,
                       .payload = "sell 1",
                       .metadata = encode_metadata({{1, "command id 16 by" + word},
                                                    {2, "correlation 16 b"},
                                                    {3, "causation 16 byt", true},
                                                    {4, "trace id 16 byte" + word + "\x01" + "a=b"},
                                                    {5, "Zoë"},
                                                    {6, word},
                                                    {0x8001, ""},
                                                    {7, word + greater},
                                                    {8, greater + word},
                                                    {0x8001, "the application's"}})});
    const auto end =
        journal.add(only, end_frame(closed, 2, time + 5, 0, {.first_sequence = 0, .events = 2}));
    journal.put_segment(only);
    journal.put_index(0, {.first_sequence = 0,
                          .end_sequence = 2,
                          .end_offset = end,
                          .end_hash = only.hash_at(end),
                          .end_type = closed,
                          .min_timestamp_ns = time + 2,
                          .max_timestamp_ns = time + 4,
                          .marks = {{0, report, 0}},
                          .types = {{7, 2, 2, 0, 1, time + 2, time + 4}},
                          .commands = {{"command id 16 by", 0x0102030405060708, 1, sell, 1}},
                          .tags = {{0x0102030405060708, {sell}}, {0x0202030405060708, {sell}}},
                          .describes = true});
    journal.put_heads(
        {.end_sequence = 2,
         .slots = 64,
         .tag_slots = 64,
         .tags = {{0x0102030405060708, 2, 0, sell}, {0x0202030405060708, 2, 0, sell}}});
    journal.put_control({.durable = 2, .published = 2, .watermarks = {0, 2}});
    return journal.take();
}

scene make_pruned() {
    constexpr std::uint64_t first_epoch = 0x8888888888888888;
    constexpr std::uint64_t second_epoch = 0x9999999999999999;
    constexpr std::uint64_t time = created_ns;
    builder journal{"pruned", "pawl golden left"};

    // The segment that is gone, for its hashes.
    segment_image first = journal.start(first_epoch);
    std::vector<std::uint64_t> contents;
    const auto add = [&](const frame_fields& fields) {
        contents.push_back(content_hash(encode_frame(fields, first_epoch, first.next_offset())));
        return first.add(fields);
    };
    const auto zero =
        add({.type = 1, .timestamp_ns = time, .stream = 42, .version = 1, .payload = "gone"});
    add({.flags = system_flag,
         .type = stream_name,
         .sequence = 1,
         .timestamp_ns = time,
         .stream = first_named,
         .payload = "left"});
    const auto one = add({.type = 1,
                          .sequence = 1,
                          .timestamp_ns = time + 1,
                          .stream = first_named,
                          .version = 1,
                          .payload = "gone, too"});
    add({.flags = system_flag,
         .type = stream_name,
         .sequence = 2,
         .timestamp_ns = time + 2,
         .stream = first_named + 1,
         .payload = "without an event"});
    const description_fields said{1, 0, "numbered", "schema"};
    first.add({.flags = system_flag,
               .type = description,
               .sequence = 2,
               .timestamp_ns = time + 3,
               .payload = encode_description(said)});
    const auto first_end =
        first.add(end_frame(rolled, 2, time + 4, 0,
                            {.successor_epoch = second_epoch, .first_sequence = 0, .events = 2}));
    const image retained =
        encode_retained({.journal = "pawl golden left",
                         .first_ordinal = 1,
                         .first_sequence = 2,
                         .before_epoch = first_epoch,
                         .before_offset = first_end,
                         .before_hash = first.hash_at(first_end),
                         .before_successor_epoch = second_epoch,
                         .before_type = rolled,
                         .content_hash = contents[2],
                         .frame_hash = first.hash_at(one),
                         .digest = mix(contents[0]) + mix(contents[1]) + mix(contents[2]),
                         .names_digest = mix(contents[3]),
                         .must_know = 1 << rolled | 1 << stream_name | 1 << description,
                         .pruned_events = 2,
                         .pruned_bytes = segment_bytes,
                         .pruned_ns = time + 9,
                         .heads = {{42, 1, 0, zero}, {first_named, 1, 0, one}},
                         .tags = {{7, 1, 0, zero}, {42, 2, 0, one}},
                         .commands = {{"the pruned cmd's", 0x4444444444444444, 0, 2}},
                         .names = {{first_named, "left"}, {first_named + 1, "without an event"}},
                         .descriptions = {{2, time + 3, said}}});
    journal.put("retained", retained);
    journal.put("retained.copy", retained);
    // Its last two positions: before the beginning, and there.
    consumer_fields risk{.journal = "pawl golden left",
                         .generation = 6,
                         .next_sequence = 2,
                         .content_hash = contents[2],
                         .frame_hash = first.hash_at(one),
                         .event_ns = time + 1,
                         .committed_ns = time + 8,
                         .state = 1,
                         .name = "risk",
                         .selection = "types 1,2"};
    image consumer = encode_consumer(risk);
    risk.generation = 5;
    risk.next_sequence = 1;
    risk.state = 0;
    consumer.append(encode_consumer(risk));
    journal.put("consumers/risk", consumer);

    segment_image second = journal.start(second_epoch);
    const auto two = journal.add(second, {.type = 2,
                                          .sequence = 2,
                                          .timestamp_ns = time + 5,
                                          .stream = 42,
                                          .version = 2,
                                          .payload = "kept"});
    const auto end =
        journal.add(second, end_frame(closed, 3, time + 6, 0, {.first_sequence = 2, .events = 1}));
    journal.put_segment(second);
    journal.put_index(1, {.first_sequence = 2,
                          .end_sequence = 3,
                          .end_offset = end,
                          .end_hash = second.hash_at(end),
                          .end_type = closed,
                          .min_timestamp_ns = time + 5,
                          .max_timestamp_ns = time + 5,
                          .marks = {{2, two, 0}},
                          .streams = {{42, 2, two, 1}},
                          .types = {{2, 0, 1, 2, 2, time + 5, time + 5}}});
    journal.put_heads({.end_sequence = 3,
                       .slots = 64,
                       .heads = {{42, 2, 1, two}, {first_named, 1, 0, one}},
                       .names = {{first_named, "left"}, {first_named + 1, "without an event"}}});
    journal.put_control({.durable = 3, .published = 3, .watermarks = {2, 3}});
    return journal.take();
}

scene make_commands() {
    constexpr std::uint64_t first_epoch = 0x8888888888888888;
    constexpr std::uint64_t second_epoch = 0x9999999999999999;
    constexpr std::uint64_t third_epoch = 0xaaaaaaaaaaaaaaaa;
    constexpr std::uint64_t time = created_ns;
    builder journal{"commands", "pawl golden cmds"};
    const auto command = [](std::string_view id, char hash) {
        return encode_metadata({{1, std::string{id} + std::string(8, hash)}});
    };

    segment_image first = journal.start(first_epoch);
    const auto paid = journal.add(first, {.flags = batch_first | with_metadata,
                                          .type = 1,
                                          .timestamp_ns = time,
                                          .stream = 1,
                                          .version = 1,
                                          .payload = "paid",
                                          .metadata = command("the first one id", '1')});
    const auto got = journal.add(first, {.flags = batch_middle | with_metadata,
                                         .type = 1,
                                         .sequence = 1,
                                         .timestamp_ns = time + 1,
                                         .stream = 2,
                                         .version = 1,
                                         .witness = 1,
                                         .payload = "got",
                                         .metadata = command("the first one id", '1')});
    const auto other = journal.add(first, {.flags = batch_last | with_metadata,
                                           .type = 1,
                                           .sequence = 2,
                                           .timestamp_ns = time + 2,
                                           .stream = 3,
                                           .version = 1,
                                           .witness = 2,
                                           .payload = "another",
                                           .metadata = command("the other one id", '2')});
    const auto end = journal.add(
        first, end_frame(rolled, 3, time + 3, 3,
                         {.successor_epoch = second_epoch, .first_sequence = 0, .events = 3}));
    journal.put_segment(first);
    journal.put_index(0, {.first_sequence = 0,
                          .end_sequence = 3,
                          .end_offset = end,
                          .end_hash = first.hash_at(end),
                          .successor_epoch = second_epoch,
                          .end_type = rolled,
                          .min_timestamp_ns = time,
                          .max_timestamp_ns = time + 2,
                          .marks = {{0, paid, 0}},
                          .streams = {{1, 1, paid}, {2, 1, got}, {3, 1, other}},
                          .types = {{1, 0, 3, 0, 2, time, time + 2}},
                          .commands = {{"the first one id", 0x3131313131313131, 0, paid, 2},
                                       {"the other one id", 0x3232323232323232, 2, other, 1}}});

    segment_image second = journal.start(second_epoch);
    const auto handled = journal.add(second, {.flags = with_metadata,
                                              .type = 0xff02,
                                              .sequence = 3,
                                              .timestamp_ns = time + 4,
                                              .payload = "no funds",
                                              .metadata = command("the third one id", '3')});
    const auto second_end =
        journal.add(second, end_frame(closed, 4, time + 5, 0, {.first_sequence = 3, .events = 1}));
    const std::uint64_t second_hash = second.hash_at(second_end);
    journal.put_segment(second);
    journal.put_index(1, {.first_sequence = 3,
                          .end_sequence = 4,
                          .end_offset = second_end,
                          .end_hash = second_hash,
                          .end_type = closed,
                          .min_timestamp_ns = time + 4,
                          .max_timestamp_ns = time + 4,
                          .marks = {{3, handled, 0}},
                          .types = {{0xff02, 0, 1, 3, 3, time + 4, time + 4}},
                          .commands = {{"the third one id", 0x3333333333333333, 3, handled, 1}},
                          .commands_back = 1});

    segment_image third =
        journal.start(third_epoch, behind(second_epoch, second_end, second_hash, 4));
    const auto third_end =
        journal.add(third, end_frame(closed, 4, time + 6, 0, {.first_sequence = 4, .events = 0}));
    journal.put_segment(third);
    journal.put_index(2, {.first_sequence = 4,
                          .end_sequence = 4,
                          .end_offset = third_end,
                          .end_hash = third.hash_at(third_end),
                          .end_type = closed,
                          .commands_back = 1});
    journal.put_heads({.end_sequence = 4,
                       .slots = 64,
                       .heads = {{1, 1, 0, paid}, {2, 1, 0, got}, {3, 1, 0, other}}});
    journal.put_control({.durable = 4, .published = 4, .watermarks = {3, 4}});
    return journal.take();
}

std::vector<scene> all_scenes() {
    return {make_rolled(),    make_cut(),    make_torn(),
            make_described(), make_pruned(), make_commands()};
}

std::vector<scene> closed_scenes() {
    return {make_rolled(), make_cut(), make_described(), make_pruned(), make_commands()};
}

std::string_view committed(const golden_file& file) {
    const std::string_view bytes = file.bytes;
    if (!file.path.ends_with(".seg") && !file.path.ends_with("/control"))
        return bytes;
    return bytes.substr(0, bytes.find_last_not_of('\0') + 1);
}

}  // namespace golden
