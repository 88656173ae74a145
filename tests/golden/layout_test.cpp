// Every field of every structure on disk, read from the committed files through the library's
// layouts.
#include "format/clock_frame.hpp"
#include "format/consumer_layout.hpp"
#include "format/description_frame.hpp"
#include "format/directory_layout.hpp"
#include "format/heads_layout.hpp"
#include "format/index_layout.hpp"
#include "format/metadata.hpp"
#include "format/retained_layout.hpp"
#include "format/segment_layout.hpp"
#include "golden_journal.hpp"

#include <catch2/catch.hpp>

#include <pawl/journal/consumer.hpp>
#include <pawl/journal/cursor.hpp>
#include <pawl/journal/detail/frame.hpp>

#include <cstring>

using namespace golden;
namespace layout = pawl::detail;

namespace {

constexpr std::uint64_t first_epoch = 0x0123456789abcdef;
constexpr std::uint64_t second_epoch = 0xfedcba9876543210;

// A structure at a place in a committed file.
template <class Structure>
Structure read_at(const std::string& bytes, std::size_t offset) {
    Structure read{};
    if (offset > bytes.size() || bytes.size() - offset < sizeof read)
        throw std::out_of_range("the golden file ends early");
    std::memcpy(&read, bytes.data() + offset, sizeof read);
    return read;
}

std::string id_of(const std::uint8_t (&journal)[16]) {
    return {reinterpret_cast<const char*>(journal), sizeof journal};
}

template <class Words>
bool all_zero(const Words& words) {
    return std::all_of(std::begin(words), std::end(words), [](auto word) { return word == 0; });
}

}  // namespace

TEST_CASE("the committed golden files are what the second writer of the format writes") {
    std::size_t files = 0;
    for (const scene& what : all_scenes()) {
        for (const golden_file& file : what.files) {
            INFO(file.path);
            CHECK(committed_bytes(file.path) == committed(file));
            ++files;
        }
    }
    CHECK(files == 43);
}

TEST_CASE("the worked example of FORMAT.md is what the golden file holds") {
    const std::string bytes = committed_bytes("rolled/0000000000.seg");
    const std::string example{
        "\x43\x00\x00\x00\x07\x00\x02\x00"
        "\xa3\x59\x2d\xa1\x78\x45\x16\xd0"
        "\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x00\x00\x2a\x36\xfe\x9c\x97\x17"
        "\x2a\x00\x00\x00\x00\x00\x00\x00"
        "\x01\x00\x00\x00\x00\x00\x00\x00"
        "hello, p"
        "awl\x00\x00\x00\x00\x00",
        72};
    CHECK(bytes.substr(8192, 72) == example);
    const std::uint64_t commit = 0x0002000700000043;
    const std::uint64_t place = layout::mix64(first_epoch + 8192 * 0x9e3779b97f4a7c15);
    CHECK(place == 0x41e2dc0b2bd4ae98);
    image frame{72};
    frame.text(0, example);
    CHECK(frame.hash(24, 72) == 0x0ee2bf1e1610b58e);
    CHECK(layout::mix64(commit) == 0xf5d73ba7959cd9fc);
    CHECK(content_hash(frame) == 0xfb3584b9838c6c72);
    CHECK(layout::place_hash(first_epoch, 8192, 0) == 0x2b23c1c122a135d1);
    CHECK((content_hash(frame) ^ layout::place_hash(first_epoch, 8192, 0)) == 0xd0164578a12d59a3);
    CHECK(layout::mix64(0) == 0);
    CHECK(layout::mix64(1) == 0xb456bcfc34c2cb2c);
}

TEST_CASE("identity fields lie where the golden file has them") {
    const auto read = read_at<layout::identity>(committed_bytes("rolled/journal.pawl"), 0);
    CHECK(read.magic == layout::identity_magic);
    CHECK(read.format_version == 1);
    CHECK(read.identity_bytes == 128);
    CHECK(read.compatible == 0);
    CHECK(read.read_compatible == 0);
    CHECK(read.incompatible == 0);
    CHECK(id_of(read.journal) == "pawl golden file");
    CHECK(read.created_ns == created_ns);
    CHECK(read.segment_bytes == 65536);
    CHECK(id_of(read.origin) == "pawl golden file");
    CHECK(all_zero(read.reserved));
    CHECK(read.checksum == 0xe6159c4d5aa9c67a);
    const auto copy = read_at<layout::identity>(committed_bytes("cut/journal.pawl"), 0);
    CHECK(id_of(copy.journal) == "pawl golden cut.");
    CHECK(id_of(copy.origin) == "a golden journal");
}

TEST_CASE("segment header fields lie where the golden file has them, twice") {
    const std::string bytes = committed_bytes("cut/0000000002.seg");
    for (const std::size_t offset : {std::size_t{0}, layout::header_copy_offset}) {
        const auto read = read_at<layout::segment_header>(bytes, offset);
        CHECK(read.magic == layout::segment_magic);
        CHECK(read.format_version == 1);
        CHECK(read.header_bytes == 256);
        CHECK(read.compatible == 0);
        CHECK(read.read_compatible == 0);
        CHECK(read.incompatible == 0);
        CHECK(id_of(read.journal) == "pawl golden cut.");
        CHECK(read.ordinal == 2);
        CHECK(read.epoch == 0x3333333333333333);
        CHECK(read.segment_bytes == 65536);
        CHECK(read.created_ns == created_ns + 2);
        CHECK(read.predecessor_epoch == 0x2222222222222222);
        CHECK(read.predecessor_end_offset == 8264);
        CHECK(read.predecessor_end_hash == 0x07ed062892feff49);
        CHECK(read.start_sequence == 3);
        CHECK(all_zero(read.reserved));
        CHECK(read.checksum == 0x58ad575d8b265fad);
    }
}

TEST_CASE("frame fields lie where the golden file has them") {
    const auto read =
        read_at<layout::frame_header>(committed_bytes("rolled/0000000000.seg"), 41280);
    const layout::commit_word word{read.commit};
    CHECK(word.frame_bytes() == 57);
    CHECK(word.flags() == layout::flag::batch_last);
    CHECK(word.type() == 7);
    CHECK(word.schema_version() == 3);
    CHECK_FALSE(word.is_system());
    CHECK(read.hash == 0xdcc439d05640c5bc);
    CHECK(read.sequence == 4);
    CHECK(read.timestamp_ns == created_ns + 1000);
    CHECK(read.stream == 42);
    CHECK(read.version == 3);
    CHECK(read.back == 7);
    CHECK(read.witness == 2);
}

TEST_CASE("the flags and system types are those of the golden files") {
    CHECK(layout::flag::system == system_flag);
    CHECK(layout::flag::batch_first == batch_first);
    CHECK(layout::flag::batch_middle == batch_middle);
    CHECK(layout::flag::batch_last == batch_last);
    CHECK(layout::flag::metadata == 0x10);
    CHECK(layout::flag::encoding_mask == 0xe0);
    CHECK(static_cast<std::uint16_t>(layout::system_type::rolled) == rolled);
    CHECK(static_cast<std::uint16_t>(layout::system_type::closed) == closed);
    CHECK(static_cast<std::uint16_t>(layout::system_type::cut) == cut);
    CHECK(static_cast<std::uint16_t>(layout::system_type::stream_name) == stream_name);
    CHECK(static_cast<std::uint16_t>(layout::system_type::description) == description);
    CHECK(static_cast<std::uint16_t>(layout::system_type::clock_report) == clock_report);
}

TEST_CASE("consumer fields lie where the golden file has them") {
    const std::string bytes = committed_bytes("pruned/consumers/risk");
    REQUIRE(bytes.size() == layout::consumer_file_bytes);
    const auto read = read_at<layout::consumer_block>(bytes, 0);
    CHECK(read.magic == layout::consumer_magic);
    CHECK(read.format_version == 1);
    CHECK(read.block_bytes == 4096);
    CHECK(id_of(read.journal) == "pawl golden left");
    CHECK(id_of(read.origin) == "pawl golden left");
    CHECK(read.generation == 6);
    CHECK(read.next_sequence == 2);
    CHECK(read.content_hash != read.frame_hash);
    CHECK(read.event_ns == created_ns + 1);
    CHECK(read.committed_ns == created_ns + 8);
    CHECK(read.state == layout::consumer_settled);
    CHECK(read.process == 4711);
    CHECK(std::string{read.host} == "golden.example");
    CHECK(std::string{read.program} == "make_golden");
    CHECK(std::string{read.name} == "risk");
    CHECK(std::string{read.selection, read.selection_bytes} == "types 1,2");
    CHECK(read_at<layout::consumer_block>(bytes, 4096).generation == 5);
}

TEST_CASE("the library reads the golden consumer, and goes on with it") {
    const golden_journal journal{make_pruned()};
    const auto list = pawl::list_consumers(journal.directory());
    REQUIRE(list);
    REQUIRE(list->consumers.size() == 1);
    CHECK(list->consumers[0].position.point.next == 2);
    CHECK(list->consumers[0].selection == "types 1,2");
    CHECK(list->consumers[0].owner ==
          "process 4711 (make_golden) on golden.example, boot "
          "01234567-89ab-cdef-0123-456789abcdef");
    auto risk = pawl::consumer::open(journal.directory(), "risk", {.selection = "types 1,2"});
    REQUIRE(risk);
    // The log point is that of the beginning, as `retained` has it.
    const auto events = pawl::cursor::open(journal.directory(), {.from = risk->resume_from()});
    REQUIRE(events);
    CHECK(events->next_sequence() == 2);
}

TEST_CASE("retained fields lie where the golden file has them") {
    const std::string bytes = committed_bytes("pruned/retained");
    const auto read = read_at<layout::retained_header>(bytes, 0);
    CHECK(read.magic == layout::retained_magic);
    CHECK(read.format_version == 1);
    CHECK(read.header_bytes == 248);
    CHECK(id_of(read.journal) == "pawl golden left");
    CHECK(read.first_ordinal == 1);
    CHECK(read.first_sequence == 2);
    CHECK(read.before_epoch == 0x8888888888888888);
    CHECK(read.before_successor_epoch == 0x9999999999999999);
    CHECK(read.before_type == rolled);
    CHECK(read.must_know == 0b11'0010);
    CHECK(read.pruned_events == 2);
    CHECK(read.pruned_bytes == segment_bytes);
    CHECK(read.pruned_ns == created_ns + 9);
    CHECK(read.streams == 2);
    CHECK(read.names == 2);
    CHECK(read.name_bytes == 12 + 4 + 12 + 16);
    CHECK(read.descriptions == 1);
    CHECK(read.description_bytes == 32 + 16);
    CHECK(read.tags == 2);
    CHECK(read.commands == 1);
    constexpr std::size_t names = 248 + 2 * 48 + 40;
    CHECK(bytes.size() == names + 44 + 48);
    const auto tag = read_at<layout::stream_head>(bytes, 248 + 48 + 24);
    CHECK(tag.stream == 42);
    CHECK(tag.version == 2);
    const auto command = read_at<layout::retained_command>(bytes, 248 + 96);
    CHECK(std::string_view{reinterpret_cast<const char*>(command.id), 16} == "the pruned cmd's");
    CHECK(command.hash == 0x4444444444444444);
    CHECK(command.first_sequence == 0);
    CHECK(command.events == 2);
    const auto said = read_at<layout::retained_description>(bytes, names + 44);
    CHECK(said.next_sequence == 2);
    CHECK(said.timestamp_ns == created_ns + 3);
    CHECK(said.payload_bytes == 14);
}

TEST_CASE("clock report fields lie where the golden file has them") {
    const std::string bytes = committed_bytes("described/0000000000.seg");
    CHECK(layout::clock_frame_bytes == 104);
    const auto frame = read_at<layout::frame_header>(bytes, layout::first_frame_offset);
    CHECK(frame.commit == (104 | std::uint64_t{1} << 24 | std::uint64_t{0x8001} << 32));
    const auto read = read_at<layout::clock_payload>(bytes, layout::first_frame_offset + 56);
    CHECK(read.source == 0);
    CHECK(read.synchronised == 1);
    CHECK(all_zero(read.reserved));
    CHECK(read.estimated_error_ns == 1000);
    CHECK(read.maximum_error_ns == 250'000);
    CHECK(read.tsc_hz == 2'100'000'000);
    CHECK(read.drift_ns == -42);
    CHECK(read.steps == 3);
}

TEST_CASE("metadata fields lie where the golden file has them") {
    const std::string bytes = committed_bytes("described/0000000000.seg");
    const std::size_t entries = bytes.find("command id") - layout::metadata_prefix_bytes;
    CHECK(layout::commit_word{read_at<std::uint64_t>(bytes, entries - 56)}.flags() == 0x10);
    const auto command = read_at<layout::metadata_prefix>(bytes, entries);
    CHECK(command.tag == 1);
    CHECK(command.flags == 0);
    CHECK(command.value_bytes == 24);
    const std::size_t last = bytes.find("the application's") - layout::metadata_prefix_bytes;
    const auto own = read_at<layout::metadata_prefix>(bytes, last);
    CHECK(own.tag == 0x8001);
    CHECK(own.flags == layout::metadata_last);
    CHECK(layout::metadata_last == 2);
    CHECK(layout::metadata_critical == 1);
    CHECK(own.value_bytes == 17);
    CHECK(bytes.substr(last + 8 + 24, 6) == "sell 1");
}

TEST_CASE("description fields lie where the golden file has them") {
    const std::string bytes = committed_bytes("described/0000000000.seg");
    const std::size_t frame = layout::first_frame_offset + layout::clock_frame_bytes;
    CHECK(layout::commit_word{read_at<std::uint64_t>(bytes, frame)}.frame_bytes() ==
          layout::frame_header_bytes + 8 + 16 + 9);
    const std::size_t payload = frame + layout::frame_header_bytes;
    const auto read = read_at<layout::description_payload>(bytes, payload);
    CHECK(read.type == 7);
    CHECK(read.schema_version == 2);
    CHECK(read.name_bytes == 12);
    CHECK(bytes.substr(payload + 8, 16) == std::string{"order placed\0\0\0\0", 16});
    CHECK(bytes.substr(payload + 24, 9) == "schema 72");
}

TEST_CASE("end payload fields lie where the golden file has them") {
    const std::string bytes = committed_bytes("cut/0000000000.seg");
    const std::size_t end = 8336;
    CHECK(layout::commit_word{read_at<std::uint64_t>(bytes, end)}.frame_bytes() ==
          layout::end_frame_bytes);
    const auto read = read_at<layout::end_payload>(bytes, end + layout::frame_header_bytes);
    CHECK(read.successor_epoch == 0);
    CHECK(read.first_sequence == 0);
    CHECK(read.events == 2);
    CHECK(read.lost_about == 1);
    CHECK(read.torn_bytes == 214);
}

TEST_CASE("control fields lie where the golden file has them") {
    const std::string bytes = committed_bytes("torn/control");
    const std::string id = "pawl golden torn";
    const auto identity = read_at<layout::control_identity>(bytes, 0);
    CHECK(identity.magic == layout::control_magic);
    CHECK(identity.format_version == 1);
    CHECK(identity.block_bytes == layout::control_block_bytes);
    CHECK(id_of(identity.journal) == id);
    CHECK(identity.checksum == 0xe3c4ae1c186b2eef);

    const auto status = read_at<layout::control_status>(bytes, layout::control_block_bytes);
    CHECK(status.durable == 1);
    CHECK(status.durable_check == layout::mix64(1 ^ read_at<std::uint64_t>(id, 0)));
    CHECK(status.published == 3);
    CHECK(status.heartbeat_ns == created_ns + 9);
    CHECK(status.process == 4711);
    CHECK(status.state == static_cast<std::uint64_t>(layout::control_state::open));
    CHECK(status.wake == 3);
    CHECK(status.os_error == 5);
    CHECK(std::string{status.host} == "golden.example");
    CHECK(std::string{status.program} == "make_golden");
    CHECK(std::string{status.boot} == "01234567-89ab-cdef-0123-456789abcdef");

    const auto statistics =
        read_at<layout::control_statistics>(bytes, layout::control_statistics_offset);
    CHECK(statistics.opened_ns == created_ns);
    CHECK(statistics.first_sequence == 0);
    CHECK(statistics.appended_bytes == 216);
    CHECK(statistics.rollovers == 1);
    CHECK(statistics.back_pressure == 2);
    CHECK(statistics.segments_ready == 3);
    CHECK(statistics.shortage == 28);
    CHECK(statistics.populated_bytes == 65536);
    CHECK(statistics.streams == 1);
    CHECK(statistics.syncs == 4);
    CHECK(statistics.sync_ns == 700'000);
    CHECK(statistics.longest_sync_ns == 400'000);
    CHECK(statistics.sync_times[7] == 1);
    CHECK(statistics.sync_times[8] == 2);
    CHECK(statistics.sync_times[9] == 1);
    CHECK(statistics.counters_used == 2);
    CHECK(std::string{statistics.counters[0].name} == "orders_accepted");
    CHECK(statistics.counters[0].kind == 1);
    CHECK(statistics.counters[0].value == 41);
    CHECK(std::string{statistics.counters[1].name} == "queue");
    CHECK(statistics.counters[1].kind == 0);
    CHECK(statistics.counters[1].value == 7);

    const auto even = read_at<layout::control_watermark>(bytes, 2 * layout::control_block_bytes);
    CHECK(even.generation == 2);
    CHECK(even.durable == 1);
    CHECK(even.checksum == 0x973bac434ec959f8);
    const auto odd = read_at<layout::control_watermark>(bytes, 3 * layout::control_block_bytes);
    CHECK(odd.generation == 1);
    CHECK(odd.durable == 0);
}

TEST_CASE("index header fields lie where the golden file has them") {
    const std::string bytes = committed_bytes("rolled/0000000000.idx");
    const auto read = read_at<layout::index_header>(bytes, 0);
    CHECK(read.magic == layout::index_magic);
    CHECK(read.format_version == 1);
    CHECK(read.header_bytes == 256);
    CHECK(read.compatible == 0);
    CHECK(read.read_compatible == 0);
    CHECK(read.incompatible == 0);
    CHECK(id_of(read.journal) == "pawl golden file");
    CHECK(read.ordinal == 0);
    CHECK(read.epoch == first_epoch);
    CHECK(read.first_sequence == 0);
    CHECK(read.end_sequence == 5);
    CHECK(read.end_offset == 41344);
    CHECK(read.end_hash ==
          read_at<layout::frame_header>(committed_bytes("rolled/0000000000.seg"), 41344).hash);
    CHECK(read.successor_epoch == second_epoch);
    CHECK(read.end_type == rolled);
    CHECK(read.reserved0 == 0);
    CHECK(read.sections == 4);
    CHECK(read.system_types == (1U << rolled | 1U << stream_name));
    CHECK(read.min_timestamp_ns == created_ns);
    CHECK(read.max_timestamp_ns == created_ns + 2000);
    CHECK(read.checksums_offset == 256 + 4 * 32 + 2 * 24 + 2 * 24 + 16 + 4 * 48);
    CHECK(read.commands_back == 0);
    CHECK(read.reserved1 == 0);
    CHECK(all_zero(read.reserved2));
    CHECK(bytes.size() == read.checksums_offset + 8);
    CHECK(read.checksum == 0xd44c5114379f0297);
    CHECK(read_at<std::uint64_t>(bytes, read.checksums_offset) == 0x6e62ffac76d87de3);
}

TEST_CASE("index sections lie where the golden file has them") {
    const std::string bytes = committed_bytes("rolled/0000000000.idx");
    std::array<layout::index_section, 4> sections{};
    std::size_t next = 256 + 4 * 32;
    const std::array<std::uint32_t, 4> entry_bytes{24, 24, 16, 48};
    const std::array<std::uint64_t, 4> counts{2, 2, 1, 4};
    for (std::size_t i = 0; i < sections.size(); ++i) {
        sections[i] = read_at<layout::index_section>(bytes, 256 + i * 32);
        CHECK(sections[i].kind == i + 1);
        CHECK(sections[i].flags == (i == 1 || i == 2 ? 1 : 0));
        CHECK(sections[i].entry_bytes == entry_bytes[i]);
        CHECK(sections[i].count == counts[i]);
        CHECK(sections[i].offset == next);
        CHECK(sections[i].bytes == counts[i] * entry_bytes[i]);
        next += sections[i].bytes;
    }
    const auto mark = read_at<layout::index_mark>(bytes, sections[0].offset + 24);
    CHECK(mark.sequence == 2);
    CHECK(mark.offset == 41088);
    CHECK(mark.max_timestamp_ns == created_ns + 2000);
    const auto stream = read_at<layout::index_stream>(bytes, sections[1].offset);
    CHECK(stream.stream == 42);
    CHECK(stream.version == 3);
    CHECK(stream.last_offset() == 41280);
    CHECK(stream.segments_back == 0);
    const auto name = read_at<layout::indexed_name>(bytes, sections[2].offset);
    CHECK(name.offset == 41088);
    const auto type = read_at<layout::index_type>(bytes, sections[3].offset);
    CHECK(type.type == 7);
    CHECK(type.schema_version == 2);
    CHECK(type.reserved == 0);
    CHECK(type.events == 2);
    CHECK(type.first_sequence == 0);
    CHECK(type.last_sequence == 3);
    CHECK(type.min_timestamp_ns == created_ns);
    CHECK(type.max_timestamp_ns == created_ns + 1000);

    // The named stream goes on in the next segment, whose index leads back to this one.
    const std::string later = committed_bytes("rolled/0000000001.idx");
    const auto streams = read_at<layout::index_section>(later, 256 + 32);
    CHECK(read_at<layout::index_stream>(later, streams.offset).segments_back == 1);
}

TEST_CASE("tags and their postings lie in the index where the golden file has them") {
    const std::string bytes = committed_bytes("described/0000000000.idx");
    CHECK(read_at<layout::index_header>(bytes, 0).sections == 7);
    const auto tags = read_at<layout::index_section>(bytes, 256 + 4 * 32);
    CHECK(tags.kind == 5);
    CHECK(tags.flags == 1);
    CHECK(tags.entry_bytes == 16);
    CHECK(tags.count == 2);
    const auto postings = read_at<layout::index_section>(bytes, 256 + 6 * 32);
    CHECK(postings.kind == 9);
    CHECK(postings.flags == 1);
    CHECK(postings.entry_bytes == 4);
    CHECK(postings.count == 2);
    const auto second = read_at<layout::index_tag>(bytes, tags.offset + 16);
    CHECK(second.tag == 0x0202030405060708);
    CHECK(second.first == 1);
    CHECK(second.postings == 1);
    const auto commands = read_at<layout::index_section>(bytes, 256 + 5 * 32);
    const auto command = read_at<layout::index_command>(bytes, commands.offset);
    CHECK(read_at<layout::index_posting>(bytes, postings.offset + 4) == command.first);
}

TEST_CASE("commands lie in the index where the golden file has them") {
    const std::string bytes = committed_bytes("commands/0000000000.idx");
    const auto header = read_at<layout::index_header>(bytes, 0);
    CHECK(header.sections == 5);
    const auto section = read_at<layout::index_section>(bytes, 256 + 4 * 32);
    CHECK(section.kind == 6);
    CHECK(section.flags == 1);
    CHECK(section.entry_bytes == 40);
    CHECK(section.count == 2);
    const auto command = read_at<layout::index_command>(bytes, section.offset);
    CHECK(std::string_view{reinterpret_cast<const char*>(command.id), 16} == "the first one id");
    CHECK(command.hash == 0x3131313131313131);
    CHECK(command.first_sequence == 0);
    CHECK(command.first_offset() == 8192);
    CHECK(command.events == 2);
    const std::string later = committed_bytes("commands/0000000002.idx");
    CHECK(read_at<layout::index_header>(later, 0).commands_back == 1);
    CHECK(read_at<layout::index_header>(later, 0).sections == 4);
}

TEST_CASE("the table of tags lies in the stream heads where the golden file has it") {
    const std::string bytes = committed_bytes("described/streams");
    const auto read = read_at<layout::heads_header>(bytes, 0);
    CHECK(read.slots == 64);
    CHECK(read.tag_slots == 64);
    CHECK(read.tags == 2);
    std::size_t tags = 0;
    for (std::size_t slot = 64; slot < 128; ++slot) {
        const auto tip = read_at<layout::stream_head>(
            bytes, layout::heads_entries_offset + slot * sizeof(layout::stream_head));
        if (tip.stream == 0)
            continue;
        CHECK((tip.stream | 0x0300000000000000) == 0x0302030405060708);
        CHECK(tip.version == 2);
        ++tags;
    }
    CHECK(tags == 2);
}

TEST_CASE("stream head fields lie where the golden file has them") {
    const std::string bytes = committed_bytes("rolled/streams");
    const auto read = read_at<layout::heads_header>(bytes, 0);
    CHECK(read.magic == layout::heads_magic);
    CHECK(read.format_version == 1);
    CHECK(read.header_bytes == 192);
    CHECK(id_of(read.journal) == "pawl golden file");
    CHECK(read.ordinal == 1);
    CHECK(read.epoch == second_epoch);
    CHECK(read.end_sequence == 6);
    CHECK(read.slots == 64);
    CHECK(read.streams == 2);
    CHECK(read.names == 1);
    CHECK(read.name_bytes == 12 + 14);
    CHECK(read.tag_slots == 0);
    CHECK(read.tags == 0);
    CHECK(read.name_slots == 64);
    CHECK(read.first_ordinal == 0);
    CHECK(read.epoch_before == 0);
    CHECK(read.streams_so_far == 2);
    CHECK(read.checksum == 0x56982b733cc0af82);

    std::vector<layout::stream_head> heads;
    for (std::size_t slot = 0; slot < 64; ++slot) {
        const auto head = read_at<layout::stream_head>(
            bytes, layout::heads_entries_offset + slot * sizeof(layout::stream_head));
        if (head.stream != 0)
            heads.push_back(head);
    }
    REQUIRE(heads.size() == 2);
    const auto& named = heads[0].stream == 42 ? heads[1] : heads[0];
    CHECK(named.stream == first_named);
    CHECK(named.version == 2);
    CHECK(named.last == (std::uint64_t{1} << 32 | 8192 / 8));
    const std::size_t names = layout::heads_entries_offset + 128 * sizeof(layout::stream_head);
    CHECK(bytes.substr(names + 12, 14) == "orders/Z\u00fcrich");
    CHECK(bytes.size() == names + 32 + 2 * 8);
}
