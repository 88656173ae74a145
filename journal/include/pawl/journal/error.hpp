// Errors as values.
//
// Everything in Pawl that can fail returns std::expected<T, pawl::error>. The library never throws,
// never prints, and never aborts on bad data.
#pragma once

#include <cstdint>
#include <expected>
#include <limits>
#include <string>
#include <string_view>

namespace pawl {

// The kinds of failure. The numbers are stable; new kinds are added at the end.
enum class errc : std::uint16_t {
    // The request is not possible.
    invalid_argument = 1,   // an option or argument is out of its documented range
    too_large = 2,          // a frame or batch exceeds what a frame or segment can hold
    conflict = 3,           // the stream is not at the expected version; see error::actual_version
    busy = 4,               // a reservation, a batch or another call is still open
    not_found = 5,          // no such sequence, stream or file
    closed = 6,             // the writer has been closed
    forked = 7,             // this process is a fork of the one that opened the writer
    repeated = 8,           // the command took effect before; error::sequence is its first event
    command_id_reused = 9,  // the id belongs to a command with other bytes

    // The directory does not hold what was expected.
    not_a_journal = 20,        // the directory exists and holds no journal
    newer_format = 21,         // written by a program that this one cannot read
    locked = 22,               // another writer holds the journal; error::detail says who
    missing_segment = 23,      // a segment that must exist does not
    network_file_system = 24,  // refused unless allowed in the options
    foreign_owner = 25,        // new files could not be given to the owner of journal.pawl
    pruned = 26,               // pruned; error::sequence is the first event that is kept
    unreadable_consumer = 27,  // nothing is pruned, because it is not known what a consumer needs

    // The bytes are not what a writer wrote.
    damaged = 40,        // bytes below the durable watermark are wrong: file, offset and sequence
    diverged = 41,       // a log point names an event that this journal does not hold
    rewound = 42,        // a recovery cut the log below where this reader stands
    malformed = 43,      // an event's payload or metadata does not have the form it claims
    unknown_event = 44,  // an event of a type or schema version that this program does not know

    // The machine.
    io = 60,             // a system call failed; see error::os_error
    disk_full = 61,      // no room for the next segment; resumes once there is
    back_pressure = 62,  // the next segment or page is not ready yet; try again
    poisoned = 63,       // an earlier failure (error::cause) ended this writer for good
    out_of_memory = 64,
    timed_out = 65,
    no_descriptors = 66,  // the process or the machine has no file descriptor left
};

// The value of error's numeric fields that do not apply.
inline constexpr std::uint64_t no_value = std::numeric_limits<std::uint64_t>::max();

// One failure: what, where, and why. On the hot path an error allocates nothing: `file` and
// `detail` stay empty there, and `reason` and the numbers say why.
struct [[nodiscard]] error {
    errc code{};
    errc cause{};                               // poisoned: the kind of the first failure
    int os_error = 0;                           // errno, 0 where no system call was involved
    std::uint64_t offset = no_value;            // byte in `file`
    std::uint64_t sequence = no_value;          // the event concerned, or the one expected here
    std::uint64_t stream = no_value;            // the stream concerned
    std::uint64_t actual_version = no_value;    // conflict: the version the stream is at
    std::uint64_t expected_version = no_value;  // conflict: the one asked for; not of exists()
    std::uint64_t batch_event = no_value;       // conflict in a batch: which of its events, from 0
    std::uint64_t size = no_value;              // too_large: what was asked for
    std::uint64_t limit = no_value;             // too_large: what is allowed, in the same unit
    std::string_view reason{};                  // one sentence, of static storage duration
    std::string file{};                         // path, as far as known
    std::string detail{};                       // one sentence for a person

    // All of the above as one line: "damaged: 0000000003.seg, byte 8192, sequence 41: hash
    // mismatch", "conflict: stream 42, actual version 3, expected version 2". Without memory for
    // it: "out of memory".
    [[nodiscard]] std::string message() const noexcept;
};

// The name of a kind, as in the enumeration ("back_pressure").
[[nodiscard]] std::string_view to_string(errc code) noexcept;

template <class T>
using result = std::expected<T, error>;

namespace detail {
// A copy that cannot fail: without `file` and `detail` if there is no memory for them.
[[nodiscard]] error copy_of(const error& from) noexcept;
}  // namespace detail

// Shorthand for returning a failure that needs only its kind and a sentence.
[[nodiscard]] inline std::unexpected<error> fail(errc code, std::string detail = {}) {
    return std::unexpected(error{.code = code, .detail = std::move(detail)});
}

}  // namespace pawl
