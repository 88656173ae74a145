// The fuzz targets: one entry point for each kind of file. Each reads only its input, ends the
// process if a promise is broken, and otherwise returns nothing.
//
// The first byte of an input selects what is repaired before it is parsed, so that mutations get
// past the checksums: see `repair`.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace pawl {
class schema;
}

namespace pawl::test {

// Bits of an input's first byte.
enum repair : unsigned char {
    repair_hashes = 1,      // checksums fit
    repair_sequences = 2,   // frames count up, so that more than one is reached
    repair_identities = 4,  // magic, version, journal and the like are right
};

using fuzz_input = std::span<const std::byte>;

void fuzz_segment(fuzz_input input);   // the frames of a segment, from its byte 8192 on
void fuzz_index(fuzz_input input);     // the index of a sealed segment
void fuzz_heads(fuzz_input input);     // a run of stream heads
void fuzz_retained(fuzz_input input);  // what outlives a prune
void fuzz_control(fuzz_input input);   // the control file
void fuzz_snapshot(fuzz_input input);  // a snapshot
void fuzz_payload(fuzz_input input);   // an event's payload, decoded as several tables
void fuzz_json(fuzz_input input);      // JSON text, parsed for several tables
void fuzz_schema(fuzz_input input);    // a binary schema, and a payload printed by it

void fuzz_fields(fuzz_input input);  // descriptions of a type, and the fields of a payload
void fuzz_lines(fuzz_input input);   // a line of JSON for `pawl append`

// If the payload can be printed, the text can be parsed and prints the same again.
void prints_and_reads_back(const schema& of, std::span<const std::byte> payload);

struct fuzz_target {
    std::string_view name;
    void (*run)(fuzz_input);
};
[[nodiscard]] std::span<const fuzz_target> fuzz_targets() noexcept;

// A copy of the bytes in its own allocation, so that a sanitizer sees a read outside them.
class exact_copy {
  public:
    explicit exact_copy(fuzz_input bytes);
    ~exact_copy();
    exact_copy(const exact_copy&) = delete;
    exact_copy& operator=(const exact_copy&) = delete;
    [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {at_, size_}; }

  private:
    std::byte* at_;
    std::size_t size_;
};

// Ends the process: a promise is broken.
void demand(bool holds) noexcept;

}  // namespace pawl::test
