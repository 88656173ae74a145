// A second writer of the format, written from journal/FORMAT.md alone without the library's code,
// so that the tests detect when either changes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace golden {

// Bytes with little-endian integers at given places.
class image {
  public:
    explicit image(std::size_t bytes) : bytes_(bytes, '\0') {}

    void u16(std::size_t at, std::uint64_t value) { put(at, value, 2); }
    void u32(std::size_t at, std::uint64_t value) { put(at, value, 4); }
    void u64(std::size_t at, std::uint64_t value) { put(at, value, 8); }
    void text(std::size_t at, std::string_view value);
    [[nodiscard]] std::uint64_t u64(std::size_t at) const;

    // The XXH3 of a part.
    [[nodiscard]] std::uint64_t hash(std::size_t from, std::size_t to) const;

    [[nodiscard]] const std::string& bytes() const noexcept { return bytes_; }
    void append(const image& more) { bytes_ += more.bytes_; }

  private:
    void put(std::size_t at, std::uint64_t value, std::size_t width);

    std::string bytes_;
};

[[nodiscard]] std::uint64_t mix(std::uint64_t x);

// §2
struct identity_fields {
    std::string_view journal{};
    std::uint64_t created_ns{};
    std::uint64_t segment_bytes{};
    std::string_view origin{};  // empty: the journal itself
};
[[nodiscard]] image encode_identity(const identity_fields& fields);

// §3
struct header_fields {
    std::string_view journal{};
    std::uint64_t ordinal{};
    std::uint64_t epoch{};
    std::uint64_t segment_bytes{};
    std::uint64_t created_ns{};
    std::uint64_t predecessor_epoch = 0;
    std::uint64_t predecessor_end_offset = 0;
    std::uint64_t predecessor_end_hash = 0;
    std::uint64_t start_sequence = 0;
};
[[nodiscard]] image encode_header(const header_fields& fields);

// §4
struct frame_fields {
    std::uint8_t flags = 0;
    std::uint16_t type = 0;
    std::uint16_t schema_version = 0;
    std::uint64_t sequence = 0;
    std::uint64_t timestamp_ns = 0;
    std::uint64_t stream = 0;
    std::uint64_t version = 0;
    std::uint32_t back = 0;
    std::uint32_t witness = 0;
    std::string payload{};
    std::string metadata{};  // with flag 0x10: encode_metadata
};
[[nodiscard]] image encode_frame(const frame_fields& fields, std::uint64_t epoch,
                                 std::uint64_t offset);
[[nodiscard]] std::uint64_t content_hash(const image& frame);

// §8
struct metadata_fields {
    std::uint16_t tag{};
    std::string value{};
    bool critical = false;
};
[[nodiscard]] std::string encode_metadata(const std::vector<metadata_fields>& entries);

// §7
struct end_fields {
    std::uint64_t successor_epoch{};
    std::uint64_t first_sequence{};
    std::uint64_t events{};
    std::uint64_t lost_about = 0;
    std::uint64_t torn_bytes = 0;
};
[[nodiscard]] std::string encode_end(const end_fields& fields);
struct description_fields {
    std::uint16_t type{};
    std::uint16_t schema_version{};
    std::string_view name{};
    std::string_view bytes{};
};
[[nodiscard]] std::string encode_description(const description_fields& fields);
struct clock_fields {
    std::uint8_t source{};
    std::uint8_t synchronised{};
    std::uint64_t estimated_error_ns{};
    std::uint64_t maximum_error_ns{};
    std::uint64_t tsc_hz{};
    std::int64_t drift_ns{};
    std::uint64_t steps{};
};
[[nodiscard]] std::string encode_clock(const clock_fields& fields);

// A segment that is filled from the front.
class segment_image {
  public:
    explicit segment_image(const header_fields& header);

    // Adds a frame after the last one; returns its offset.
    std::uint64_t add(const frame_fields& frame);
    // Writes bytes at the place of the next frame, plus `skip`.
    void scribble(std::string_view bytes, std::size_t skip = 0);

    [[nodiscard]] std::uint64_t next_offset() const noexcept { return next_; }
    [[nodiscard]] std::uint64_t hash_at(std::uint64_t offset) const {
        return whole_.u64(offset + 8);
    }
    [[nodiscard]] const image& whole() const noexcept { return whole_; }

  private:
    std::uint64_t epoch_;
    std::uint64_t next_;
    image whole_;
};

// §10
struct counter_fields {
    std::string_view name{};
    std::uint64_t kind{};
    std::uint64_t value{};
};
struct control_fields {
    std::string_view journal{};
    std::uint64_t durable{};
    std::uint64_t published{};
    std::uint64_t heartbeat_ns{};
    std::uint64_t process{};
    std::uint64_t state{};
    std::uint32_t wake{};
    std::uint32_t os_error{};
    std::string_view host{};
    std::string_view program{};
    std::string_view boot{};
    std::array<std::uint64_t, 2> watermarks{};   // of generations 1 and 2
    std::array<std::uint64_t, 12> statistics{};  // from the time of the opening to the longest sync
    std::array<std::uint64_t, 24> sync_times{};
    std::vector<counter_fields> counters{};
};
[[nodiscard]] image encode_control(const control_fields& fields);

// §11
struct index_fields {
    struct mark {
        std::uint64_t sequence, offset, max_timestamp_ns;
    };
    struct stream {
        std::uint64_t number, version, last_offset;
        std::uint64_t segments_back = 0;
    };
    struct name {
        std::string_view text;
        std::uint64_t offset;
    };
    struct type {
        std::uint16_t number, schema_version;
        std::uint64_t events, first_sequence, last_sequence, min_timestamp_ns, max_timestamp_ns;
    };
    struct command {
        std::string id;
        std::uint64_t hash, first_sequence, first_offset, events;
    };
    struct tag {
        std::uint64_t number;
        std::vector<std::uint64_t> offsets;
    };
    std::string_view journal{};
    std::uint64_t ordinal{};
    std::uint64_t epoch{};
    std::uint64_t first_sequence{};
    std::uint64_t end_sequence{};
    std::uint64_t end_offset{};
    std::uint64_t end_hash{};
    std::uint64_t successor_epoch{};
    std::uint16_t end_type{};
    std::uint64_t min_timestamp_ns{};
    std::uint64_t max_timestamp_ns{};
    std::vector<mark> marks{};
    std::vector<stream> streams{};
    std::vector<name> names{};
    std::vector<type> types{};
    std::vector<command> commands{};
    std::vector<tag> tags{};
    std::uint64_t commands_back{};
    bool describes = false;  // a *description* stands in the segment
};
[[nodiscard]] image encode_index(const index_fields& fields);

// §12
struct heads_fields {
    struct head {
        std::uint64_t stream, version, ordinal, offset;
    };
    struct name {
        std::uint64_t stream;
        std::string_view text;
    };
    std::string_view journal{};
    std::uint64_t ordinal{};
    std::uint64_t epoch{};
    std::uint64_t end_sequence{};
    std::uint64_t slots{};
    std::vector<head> heads{};
    std::uint64_t tag_slots{};
    std::vector<head> tags{};   // "version": one more than the sequence of the last event
    std::vector<name> names{};  // by their numbers
    std::uint64_t first_ordinal{};
    std::uint64_t epoch_before{};
};
[[nodiscard]] image encode_heads(const heads_fields& fields);
// Gives an encoded file, whose bytes a test has changed, the right checksums.
void seal_heads(image& file);

// §15
struct retained_fields {
    std::string_view journal{};
    std::uint64_t first_ordinal{};
    std::uint64_t first_sequence{};
    std::uint64_t before_epoch{};
    std::uint64_t before_offset{};
    std::uint64_t before_hash{};
    std::uint64_t before_successor_epoch{};
    std::uint64_t before_type{};
    std::uint64_t content_hash{};
    std::uint64_t frame_hash{};
    std::uint64_t digest{};
    std::uint64_t names_digest{};
    std::uint64_t must_know{};
    std::uint64_t pruned_events{};
    std::uint64_t pruned_bytes{};
    std::uint64_t pruned_ns{};
    std::vector<heads_fields::head> heads{};
    std::vector<heads_fields::head> tags{};
    struct command {
        std::string id;
        std::uint64_t hash, first_sequence, events;
    };
    std::vector<command> commands{};
    std::vector<heads_fields::name> names{};
    struct description {
        std::uint64_t sequence, timestamp_ns;
        description_fields said;
    };
    std::vector<description> descriptions{};
};
[[nodiscard]] image encode_retained(const retained_fields& fields);

// §16
struct consumer_fields {
    std::string_view journal{};
    std::uint64_t generation{};
    std::uint64_t next_sequence{};
    std::uint64_t content_hash{};
    std::uint64_t frame_hash{};
    std::uint64_t event_ns{};
    std::uint64_t committed_ns{};
    std::uint64_t state{};
    std::string_view name{};
    std::string_view selection{};
};
// One of the two blocks of a file.
[[nodiscard]] image encode_consumer(const consumer_fields& fields);

}  // namespace golden
