// Events as lines of JSON, which `append` takes back.
#pragma once

#include "events/journal_words.hpp"
#include "events/unchecked_text.hpp"

#include <pawl/codec/json.hpp>
#include <pawl/journal/event.hpp>
#include <pawl/journal/types.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace pawl::cli {

struct event_json_options {
    bool exact = false;  // stream numbers, and payloads as base64
    json_options values{};
};

class event_json {
  public:
    // `words` must outlive it.
    explicit event_json(const journal_words& words, const event_json_options& options = {})
        : words_{&words}, options_{options} {}

    // Appends an object and a newline. If the payload does not fit its schema, the object holds it
    // in hexadecimal, with the reason as `problem`.
    void append(std::string& to, const event& e);
    // The lines of an exact dump for what the log records between events.
    static void append(std::string& to, const recorded_name& name);
    static void append(std::string& to, const recorded_description& description);

    // Where in the text the last line has its more_in_batch, if that is true.
    [[nodiscard]] std::size_t batch_flag() const noexcept { return batch_flag_; }
    // The payloads that did not fit their schemas.
    [[nodiscard]] std::uint64_t problems() const noexcept { return problems_; }

  private:
    // What the lines of one type at one version have in common.
    struct line_of_type {
        std::uint32_t key = 0;
        // ,"type":"filled", ... "more_in_batch":false,
        std::string last_in_batch{};
        std::string more_in_batch{};
        std::optional<json_printer> printer{};
    };

    [[nodiscard]] const line_of_type& line_of(const event& e);
    [[nodiscard]] const line_of_type& find_line_of(const event& e, std::uint32_t key);
    void update_second(std::uint64_t timestamp_ns);
    void update_digits(sequence_number sequence);
    void append_header(std::string& to, const event& e, const line_of_type& type);
    void append_printed(std::string& to, const event& e, const json_printer& printer);
    static void append_payload(std::string& to, const event& e);

    const journal_words* words_;
    event_json_options options_;
    std::unordered_map<std::uint32_t, line_of_type> types_;
    std::array<const line_of_type*, 16> recent_types_{};  // by type, modulo its size
    // Of the last event: the next one often differs by 1, and is of the same second.
    sequence_number sequence_ = no_value;
    short_text<32> digits_{};
    std::uint64_t second_ = no_value;
    short_text<32> second_text_{};  // ,"time":"2026-11-23T14:02:00.
    std::size_t batch_flag_ = 0;
    std::uint64_t problems_ = 0;
};

}  // namespace pawl::cli
