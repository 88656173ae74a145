// Journals built by hand, to test how a reader treats them.
#pragma once

#include "golden_journal.hpp"

#include <pawl/journal/cursor.hpp>

#include <string>
#include <string_view>

namespace golden {

inline constexpr std::string_view id = "pawl golden byte";
inline constexpr std::uint64_t epoch = 0x6666666666666666;
inline constexpr std::uint64_t second = 8256;  // offset of the second frame

[[nodiscard]] inline frame_fields event_frame(std::uint64_t sequence) {
    return {.type = 1,
            .sequence = sequence,
            .timestamp_ns = created_ns,
            .stream = 5,
            .version = sequence + 1,
            .back = sequence == 0 ? 0u : 8u,
            .payload = "8 bytes."};
}

[[nodiscard]] inline frame_fields end_frame(std::uint16_t type, std::uint64_t sequence,
                                            std::uint64_t successor) {
    return {.flags = system_flag,
            .type = type,
            .sequence = sequence,
            .timestamp_ns = created_ns,
            .payload = encode_end(
                {.successor_epoch = successor, .first_sequence = 0, .events = sequence})};
}

[[nodiscard]] inline header_fields plain_header(std::uint64_t ordinal = 0) {
    return {.journal = id,
            .ordinal = ordinal,
            .epoch = epoch + ordinal,
            .segment_bytes = segment_bytes,
            .created_ns = created_ns};
}

// A journal that is built by hand.
class odd_journal {
  public:
    explicit odd_journal(std::uint64_t watermark = 0) {
        put("journal.pawl",
            encode_identity(
                {.journal = id, .created_ns = created_ns, .segment_bytes = segment_bytes}));
        put("control", encode_control({.journal = id, .watermarks = {0, watermark}}));
    }
    void put(const std::string& name, const image& bytes) const {
        write_whole(home_.path() / name, bytes.bytes());
    }
    void put(std::uint64_t ordinal, const image& bytes) const {
        put("000000000" + std::to_string(ordinal) + ".seg", bytes);
    }
    [[nodiscard]] const std::filesystem::path& directory() const { return home_.path(); }

  private:
    pawl::test::temporary_directory home_;
};

struct outcome {
    std::uint64_t events = 0;
    std::string end{};  // "closed", "torn", "open" or the name of an error
    pawl::error failure{};
};

[[nodiscard]] inline outcome read_all(const odd_journal& journal) {
    auto opened = pawl::cursor::open(journal.directory());
    outcome seen;
    const auto fail = [&](const pawl::error& failure) {
        seen.end = pawl::to_string(failure.code);
        seen.failure = failure;
        return seen;
    };
    if (!opened)
        return fail(opened.error());
    while (opened->next() != nullptr)
        ++seen.events;
    const auto end = opened->finish();
    if (!end)
        return fail(end.error());
    seen.end = *end == pawl::end_of_journal::closed ? "closed"
               : *end == pawl::end_of_journal::torn ? "torn"
                                                    : "open";
    return seen;
}

}  // namespace golden
