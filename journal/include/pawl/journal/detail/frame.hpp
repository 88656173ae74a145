// A frame's bytes on disk, as journal/FORMAT.md describes them. Little-endian throughout.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pawl::detail {

static_assert(std::endian::native == std::endian::little,
              "the format is little-endian and read in place");

[[nodiscard]] inline std::uint64_t load_u64(const std::byte* at) noexcept {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}
[[nodiscard]] inline std::uint32_t load_u32(const std::byte* at) noexcept {
    std::uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}
inline void store_u64(std::byte* at, std::uint64_t value) noexcept {
    std::memcpy(at, &value, sizeof value);
}
inline void store_u32(std::byte* at, std::uint32_t value) noexcept {
    std::memcpy(at, &value, sizeof value);
}

inline constexpr std::uint32_t format_version = 1;

inline constexpr std::size_t frame_alignment = 8;
inline constexpr std::size_t frame_header_bytes = 56;
inline constexpr std::size_t max_frame_bytes = (std::size_t{1} << 24) - 8;

namespace frame_offset {
inline constexpr std::size_t commit = 0;
inline constexpr std::size_t hash = 8;
inline constexpr std::size_t link = 16;     // u64, the two fields that follow
inline constexpr std::size_t back = 16;     // u32, in units of 8 bytes
inline constexpr std::size_t witness = 20;  // u32, in events
inline constexpr std::size_t sequence = 24;
inline constexpr std::size_t timestamp = 32;
inline constexpr std::size_t stream = 40;
inline constexpr std::size_t version = 48;
inline constexpr std::size_t content = sequence;  // from here on the content hash covers all bytes
}  // namespace frame_offset

// The header once more as a struct: it pins the offsets above, and the writer fills it in one go.
struct frame_header {
    std::uint64_t commit;
    std::uint64_t hash;
    std::uint32_t back;
    std::uint32_t witness;
    std::uint64_t sequence;
    std::uint64_t timestamp_ns;
    std::uint64_t stream;
    std::uint64_t version;
};
static_assert(sizeof(frame_header) == frame_header_bytes);
static_assert(offsetof(frame_header, hash) == frame_offset::hash);
static_assert(offsetof(frame_header, sequence) == frame_offset::sequence);
static_assert(offsetof(frame_header, timestamp_ns) == frame_offset::timestamp);
static_assert(offsetof(frame_header, stream) == frame_offset::stream);
static_assert(offsetof(frame_header, version) == frame_offset::version);
static_assert(offsetof(frame_header, back) == frame_offset::back);
static_assert(offsetof(frame_header, witness) == frame_offset::witness);

namespace flag {
inline constexpr std::uint8_t system = 0x01;
inline constexpr std::uint8_t batch_first = 0x02;
inline constexpr std::uint8_t batch_middle = 0x04;
inline constexpr std::uint8_t batch_last = 0x08;
inline constexpr std::uint8_t metadata = 0x10;
inline constexpr std::uint8_t batch_mask = batch_first | batch_middle | batch_last;
inline constexpr std::uint8_t encoding_mask = 0xe0;  // 0 is plain; others are not written yet
}  // namespace flag

// The first word of a frame. It is stored last and with release: a frame exists when it is not
// zero.
class commit_word {
  public:
    constexpr explicit commit_word(std::uint64_t value) noexcept : value_{value} {}
    constexpr commit_word(std::size_t frame_bytes, std::uint8_t flags, std::uint16_t type,
                          std::uint16_t schema_version) noexcept
        : value_{static_cast<std::uint64_t>(frame_bytes) | std::uint64_t{flags} << 24 |
                 std::uint64_t{type} << 32 | std::uint64_t{schema_version} << 48} {}

    [[nodiscard]] constexpr std::uint64_t value() const noexcept { return value_; }
    // Header, metadata and payload, without the padding behind.
    [[nodiscard]] constexpr std::size_t frame_bytes() const noexcept { return value_ & 0xffffff; }
    [[nodiscard]] constexpr std::uint8_t flags() const noexcept {
        return static_cast<std::uint8_t>(value_ >> 24);
    }
    [[nodiscard]] constexpr std::uint16_t type() const noexcept {
        return static_cast<std::uint16_t>(value_ >> 32);
    }
    [[nodiscard]] constexpr std::uint16_t schema_version() const noexcept {
        return static_cast<std::uint16_t>(value_ >> 48);
    }
    [[nodiscard]] constexpr commit_word with(std::uint8_t more_flags) const noexcept {
        return commit_word{value_ | std::uint64_t{more_flags} << 24};
    }
    [[nodiscard]] constexpr bool is_system() const noexcept {
        return (flags() & flag::system) != 0;
    }

  private:
    std::uint64_t value_;
};

[[nodiscard]] constexpr std::size_t padded(std::size_t bytes) noexcept {
    return (bytes + (frame_alignment - 1)) & ~(frame_alignment - 1);
}

// Metadata lies between header and payload: before each value its tag (16 bits), these flags (16)
// and its length (32), after it zeros to the next multiple of 8.
inline constexpr std::size_t metadata_prefix_bytes = 8;
inline constexpr std::uint16_t metadata_critical = 1;  // who does not know the tag must not go on
inline constexpr std::uint16_t metadata_last = 2;      // the payload follows

// The finalizer of MurmurHash3: a bijection of 64 bits in which every input bit moves about half of
// the output bits.
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t x) noexcept {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccd;
    x ^= x >> 33;
    x *= 0xc4ceb9fe1a85ec53;
    return x ^ (x >> 33);
}

// A frame's hash is its content hash ^ its place hash. The content hash covers what happened and is
// the same in every copy of the journal; this one covers where the frame lies: its segment's life,
// its offset, and the link, whose fields depend on both. Bijective in the link.
[[nodiscard]] constexpr std::uint64_t place_hash(std::uint64_t epoch, std::uint64_t offset,
                                                 std::uint64_t link) noexcept {
    return mix64(mix64(epoch + offset * 0x9e3779b97f4a7c15) ^ link);
}

// The content hash of a valid frame, taken out of its frame hash without reading its bytes.
[[nodiscard]] inline std::uint64_t content_hash_of(const std::byte* frame, std::uint64_t epoch,
                                                   std::uint64_t offset) noexcept {
    return load_u64(frame + frame_offset::hash) ^
           place_hash(epoch, offset, load_u64(frame + frame_offset::link));
}

// What a frame adds to the digest of a log.
[[nodiscard]] constexpr std::uint64_t digest_term(std::uint64_t content_hash) noexcept {
    return mix64(content_hash);
}

}  // namespace pawl::detail
